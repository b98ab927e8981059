//! What a server's volumes are like, found out by asking it.

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use tokio::time::{Instant, sleep};

use crate::sandbox::{CreateSandboxRequest, Pvc, Volume};
use crate::target::docker::DockerTarget;
use crate::target::{Files, Handle, Owner, Result, Target, TargetError};

use super::holder::{existing, hold, is_not_found, ours, passing, unique};
use super::mark;
use super::sandbox::Server;

/// How long a volume may take to go after its sandbox.
const REMOVAL: Duration = Duration::from_secs(10);

/// Time between two looks whether it has gone.
const LOOK: Duration = Duration::from_millis(100);

/// Whether the server finds a volume that we make on `engine`; if not, why. Where all is well
/// nothing else is made: of two volumes that must exist the second never does, and the refusal
/// names the one that the server misses.
pub(super) async fn is_shared(
    server: &Arc<Server>,
    engine: &DockerTarget,
    image: &str,
) -> Result<Result<(), String>> {
    let owner = Owner::this_process();
    let [there, missing] = ["there", "missing"].map(|what| unique(&owner, what));
    let handle = Handle::new(owner.clone(), unique(&owner, "probe"));
    let volume = |name: &str, claim: &str| Volume {
        pvc: Some(existing(claim)),
        ..Volume::at(name, format!("/{name}"))
    };
    let mut request = CreateSandboxRequest {
        volumes: Some(vec![volume("there", &there), volume("missing", &missing)]),
        ..ours(image)
    };
    mark::put(&handle, &mut request.metadata);
    engine.create_volume(&owner, &there, &Files::new()).await?;
    let answered = server
        .http
        .send(Method::POST, "/sandboxes", Some(&request))
        .await;
    // A server that made it all the same has made the volume, too.
    let mut removed = match &answered {
        Err(TargetError::Api(_)) => Ok(()),
        _ => server.remove(&owner.run, &handle.name).await,
    };
    for name in [&there, &missing] {
        removed = removed.and(engine.remove_volume_of(&owner.run, name).await);
    }
    removed?;
    Ok(match answered {
        Err(TargetError::Api(error)) if error.message.contains(&missing) => Ok(()),
        Err(TargetError::Api(error)) if error.message.contains(&there) => {
            Err("the server does not see the volumes of the engine here".into())
        }
        Err(unreachable @ TargetError::Unreachable { .. }) => return Err(unreachable),
        // What is wrong with the answer is for scenarios to say.
        Err(other) => Err(format!(
            "the server does not tell whether its volumes are on the engine here: {other}"
        )),
        Ok(_) => Err(
            "the server makes volumes that must exist, so nothing can be told of the engine here"
                .into(),
        ),
    })
}

/// Whether volumes go with their sandboxes where that is asked for; if not, what speaks against it.
pub(super) async fn goes(server: &Arc<Server>, image: &str) -> Result<Result<(), String>> {
    let owner = Owner::this_process();
    let name = unique(&owner, "passing");
    let id = match hold(server, image, &owner, passing(&name), false).await {
        Ok(id) => id,
        Err(unreachable @ TargetError::Unreachable { .. }) => return Err(unreachable),
        // Nothing was made, so nothing stays. What is wrong is for scenarios to say.
        Err(_) => return Ok(Ok(())),
    };
    server.delete(&id).await?;
    // A server that makes it anew, although it must exist, is to remove it again.
    let again = Pvc {
        create_if_not_exists: false,
        ..passing(&name)
    };
    let begun = Instant::now();
    while begun.elapsed() < REMOVAL {
        match hold(server, image, &owner, again.clone(), true).await {
            Ok(id) => server.delete(&id).await?,
            Err(unreachable @ TargetError::Unreachable { .. }) => return Err(unreachable),
            Err(error) if is_not_found(&error) => return Ok(Ok(())),
            Err(error) => {
                let what = format!("whether the volume {name} went with its sandbox is not known");
                return Ok(Err(format!("{what}: {error}")));
            }
        }
        sleep(LOOK).await;
    }
    let what = format!("the volume {name}, which was to go with its sandbox, is there still");
    Ok(Err(what))
}
