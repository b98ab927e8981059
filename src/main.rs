//! The `osb-conformance` command. It uses the library's public API only.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
