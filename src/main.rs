//! The program: everything is in the library, `cli` is its door.

fn main() -> std::process::ExitCode {
    latido::cli::main()
}
