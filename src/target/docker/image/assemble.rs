//! Packs files into an image archive as `docker load` takes it, byte for byte reproducible.

use std::collections::BTreeMap;
use std::io;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::collect::hex;

/// The files of an image, by path without a leading `/`.
#[derive(Debug, Default)]
pub(super) struct Layer(BTreeMap<String, Node>);

#[derive(Debug)]
enum Node {
    Directory { mode: u32 },
    File { mode: u32, data: Vec<u8> },
    Link { target: String },
}

impl Layer {
    pub(super) fn directory(&mut self, path: &str, mode: u32) {
        self.0.insert(path.into(), Node::Directory { mode });
    }

    pub(super) fn file(&mut self, path: &str, mode: u32, data: Vec<u8>) {
        self.0.insert(path.into(), Node::File { mode, data });
    }

    pub(super) fn link(&mut self, path: &str, target: &str) {
        self.0.insert(
            path.into(),
            Node::Link {
                target: target.into(),
            },
        );
    }

    /// The layer as a tar archive: sorted, without times, owned by root.
    fn tar(&self) -> io::Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, node) in &self.0 {
            let mut header = tar::Header::new_gnu();
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            match node {
                Node::Directory { mode } => {
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_mode(*mode);
                    header.set_size(0);
                    tar.append_data(&mut header, format!("{path}/"), io::empty())?;
                }
                Node::File { mode, data } => {
                    header.set_entry_type(tar::EntryType::Regular);
                    header.set_mode(*mode);
                    header.set_size(data.len() as u64);
                    tar.append_data(&mut header, path, data.as_slice())?;
                }
                Node::Link { target } => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_mode(0o777);
                    header.set_size(0);
                    tar.append_link(&mut header, path, target)?;
                }
            }
        }
        tar.into_inner()
    }
}

/// The archive of an image with one layer, named `reference`.
pub(super) fn archive(reference: &str, architecture: &str, layer: &Layer) -> io::Result<Vec<u8>> {
    let layer = layer.tar()?;
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "Env": ["PATH=/usr/bin:/bin"],
            "Cmd": ["sh"],
            "Labels": { "io.osb-conformance.image": "default" },
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", hex(&Sha256::digest(&layer)))] },
    });
    let manifest =
        json!([{ "Config": "config.json", "RepoTags": [reference], "Layers": ["layer.tar"] }]);
    let mut parts = Layer::default();
    parts.file("config.json", 0o644, config.to_string().into_bytes());
    parts.file("layer.tar", 0o644, layer);
    parts.file("manifest.json", 0o644, manifest.to_string().into_bytes());
    parts.tar()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_make_the_same_archive() {
        let layer = |order: [&str; 2]| {
            let mut layer = Layer::default();
            for name in order {
                layer.file(name, 0o755, name.as_bytes().to_vec());
            }
            layer.link("l", "a");
            archive("r:t", "amd64", &layer).expect("an archive")
        };
        assert_eq!(layer(["a", "b"]), layer(["b", "a"]));
    }
}
