//! The binary: hands its arguments to `cloakroom::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cloakroom::cli::main()
}
