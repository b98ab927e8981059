//! `serve`.

use tokio_util::sync::CancellationToken;

use osb_conformance::serve::{ServeConfig, Server};
use osb_conformance::signal::cancel_on_signal;

use super::args::{ServeArguments, TargetChoice};
use super::target::{Setting, api_key, connect, engine_or_machine};
use super::{Failure, exit};

pub(super) async fn serve(arguments: ServeArguments) -> Result<u8, Failure> {
    if let TargetChoice::Server(address) = &arguments.target {
        return Err(Failure::usage(format!(
            "serve makes the sandboxes itself: --target {address} is a server already"
        )));
    }
    let cancel = CancellationToken::new();
    tokio::spawn(cancel_on_signal(cancel.clone()));
    let setting = Setting {
        allowed_host_paths: arguments.allow_host_path,
        // Whoever asks names some image, and a machine without Docker has none.
        any_image: true,
        ..Setting::default()
    };
    let begin = async {
        let target = match arguments.target {
            TargetChoice::Auto => engine_or_machine(&setting).await?,
            choice => connect(choice, &setting).await?,
        };
        target.prepare().await?;
        let config = ServeConfig {
            listen: arguments.listen,
            api_key: api_key(),
            ..ServeConfig::default()
        };
        let description = target.info().description.clone();
        let image = target.info().image.clone();
        let server = Server::bind(target, config).await?;
        Ok::<_, Failure>((server, description, image))
    };
    let (server, description, image) = tokio::select! {
        begun = begin => begun?,
        () = cancel.cancelled() => return Ok(exit::INTERRUPTED),
    };
    let address = server.address();
    println!("sandboxes on {description}");
    println!("image {image}");
    // Last, and complete: a script waits for this line and reads the address from it.
    println!("listening on http://{address}");
    let left = server.run(cancel).await;
    for words in &left {
        eprintln!("{words}");
    }
    match left.len() {
        0 => Ok(exit::SUCCESS),
        _ => Err(Failure::unavailable("not everything could be removed")),
    }
}
