//! The program: everything is in the library, `cli` is its door.

/// Work moves from thread to thread; the system's allocator keeps a heap for each of them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    latido::cli::main()
}
