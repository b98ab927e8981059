//! `doctor`.

use osb_conformance::target::Target;

use super::target::{Setting, docker, local};
use super::{Failure, exit};

pub(super) async fn doctor() -> Result<u8, Failure> {
    let setting = Setting::default();
    let targets = [
        ("docker", docker(&setting).await),
        ("local", local(&setting).await),
    ];
    let mut usable = Vec::new();
    for (name, target) in &targets {
        match target {
            Ok(target) => {
                usable.push(*name);
                explain(target.as_ref());
            }
            Err(error) => println!("{name:<6}  no   {error}"),
        }
    }
    if usable.is_empty() {
        return Err(Failure::unavailable("no target can run here"));
    }
    println!();
    for name in usable {
        println!("osb-conformance run --target {name}");
    }
    Ok(exit::SUCCESS)
}

fn explain(target: &dyn Target) {
    let info = target.info();
    let capabilities: Vec<_> = info.capabilities.iter().map(ToString::to_string).collect();
    println!("{:<6}  yes  {}", info.name, info.description);
    println!("             image {}", info.image);
    println!("             can {}", capabilities.join(", "));
}
