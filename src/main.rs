//! The binary: hands its arguments to `cloakroom::main`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cloakroom::main()
}
