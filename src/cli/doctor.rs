//! `doctor`.

use osb_conformance::target::Target;
use osb_conformance::target::docker::{DockerConfig, DockerTarget};

use super::{Failure, exit};

pub(super) async fn doctor() -> Result<u8, Failure> {
    match DockerTarget::connect(DockerConfig::default()).await {
        Ok(target) => {
            let info = target.info();
            let capabilities: Vec<_> = info.capabilities.iter().map(ToString::to_string).collect();
            println!("docker  yes  {}", info.description);
            println!("             image {}", info.image);
            println!("             can {}", capabilities.join(", "));
            println!("\nosb-conformance run --target docker");
            Ok(exit::SUCCESS)
        }
        Err(error) => {
            println!("docker  no   {error}");
            Err(Failure::unavailable("no target can run here"))
        }
    }
}
