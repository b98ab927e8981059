//! `doctor`.

use osb_conformance::target::{Capability, Target};

use super::target::{Setting, docker, domain, local, server};
use super::{Failure, exit};

pub(super) async fn doctor() -> Result<u8, Failure> {
    let setting = Setting::default();
    let mut targets = vec![
        ("docker".to_owned(), docker(&setting).await),
        ("local".to_owned(), local(&setting).await),
    ];
    if let Some(address) = domain() {
        let found = server(&address, &setting).await;
        targets.push((address, found));
    }
    let mut usable = Vec::new();
    for (name, target) in &targets {
        match target {
            Ok(target) => {
                usable.push(name);
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
    println!("{:<6}  yes  {}", info.locator, info.description);
    println!("             image {}", info.image);
    println!("             can {}", capabilities.join(", "));
    for (capability, name) in Capability::ALL {
        match capability.option() {
            Some(option) if !info.capabilities.contains(&capability) => {
                println!("             with {option} also {name}");
            }
            _ => {}
        }
    }
}
