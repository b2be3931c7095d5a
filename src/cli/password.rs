//! A password: asked for twice on a terminal, without showing it; else the first line of stdin. Never
//! from the command line, which others can see, and never from `/dev/tty`, which scripts cannot feed.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::exit::CliError;

/// A longer line is no password.
const LONGEST_LINE_BYTES: u64 = 4096;

pub(super) fn read() -> Result<String, CliError> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return line(&mut stdin.lock());
    }
    let first = asked("Password: ")?;
    let again = asked("Once more: ")?;
    if first == again { Ok(first) } else { Err(CliError::Usage("the two differ: nothing was changed".to_owned())) }
}

fn asked(prompt: &str) -> Result<String, CliError> {
    let unreadable = |e: io::Error| CliError::Usage(format!("cannot ask for the password: {e}"));
    let mut stderr = io::stderr();
    stderr.write_all(prompt.as_bytes()).and_then(|()| stderr.flush()).map_err(unreadable)?;
    let _silent = Silent::begin().map_err(unreadable)?;
    let read = line(&mut io::stdin().lock());
    eprintln!();
    read
}

/// The terminal does not show what is typed, as long as this lives.
struct Silent(Termios);

impl Silent {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing anyhow.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

fn line(from: &mut impl BufRead) -> Result<String, CliError> {
    let mut text = String::new();
    let read = from.take(LONGEST_LINE_BYTES).read_line(&mut text);
    read.map_err(|e| CliError::Usage(format!("cannot read the password from stdin: {e}")))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() { Err(CliError::Usage("give the password as the first line of stdin".to_owned())) } else { Ok(password.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password_with_its_spaces() {
        for (text, password) in [("secret one\nmore\n", "secret one"), (" x \r\n", " x "), ("no end", "no end")] {
            assert_eq!(line(&mut text.as_bytes()).unwrap(), password);
        }
        for bad in [&b""[..], b"\n", b"\xff\xfe\n"] {
            assert!(line(&mut &bad[..]).is_err());
        }
    }
}
