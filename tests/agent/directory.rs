//! Directories.

use std::os::unix::fs::symlink;
use std::path::Path;

use osb_conformance::execd::protocol::Permission;
use osb_conformance::execd::{FileInfo, FileType};

use crate::support::{Folder, in_folder, refused};

fn names(folder: &Folder, found: Vec<FileInfo>) -> Vec<String> {
    let root = folder.join("");
    let name = |info: FileInfo| info.path.strip_prefix(&root).unwrap().to_owned();
    found.into_iter().map(name).collect()
}

#[tokio::test]
async fn they_are_made_and_removed() {
    in_folder(async |client, folder| {
        let mode = |mode| Permission {
            mode: Some(mode),
            ..Permission::default()
        };
        let (a, b) = (folder.join("a/b c/å"), folder.join("d"));
        let wanted = [(a, mode(755)), (b, mode(700))].into();
        client.create_directories(&wanted).await.unwrap();
        assert_eq!((folder.mode("a/b c/å"), folder.mode("d")), (0o755, 0o700));
        // They may be there.
        client.create_directories(&wanted).await.unwrap();
        folder.write("a/b c/file", "x");
        let paths = ["a", "d", "missing"].map(|name| folder.join(name));
        let paths = paths.each_ref().map(String::as_str);
        client.delete_directories(&paths).await.unwrap();
        assert!(paths.iter().all(|path| !Path::new(path).exists()));
    })
    .await;
}

#[tokio::test]
async fn they_are_listed_in_order_and_depth() {
    in_folder(async |client, folder| {
        let files = ["b/y", "b/x/deep", "b.txt", "a", "c\n d"];
        for name in files {
            folder.write(name, name);
        }
        symlink(folder.join("b"), folder.join("link")).unwrap();
        let list = async |depth| {
            let found = client.list_directory(folder.path(), depth).await.unwrap();
            names(folder, found)
        };
        let children = ["a", "b", "b.txt", "c\n d", "link"];
        assert_eq!(list(None).await, children);
        assert_eq!(list(Some(1)).await, children);
        assert!(list(Some(0)).await.is_empty());
        let two = ["a", "b", "b/x", "b/y", "b.txt", "c\n d", "link"];
        assert_eq!(list(Some(2)).await, two);
        assert_eq!(list(Some(9)).await.len(), two.len() + 1);
        let found = client.list_directory(folder.path(), None).await.unwrap();
        assert_eq!(found[1].file_type, FileType::Directory);
        assert_eq!(found[4].file_type, FileType::Symlink);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_directory_is_refused() {
    in_folder(async |client, folder| {
        let list = async |name: &str| client.list_directory(&folder.join(name), None).await;
        folder.write("d/file", "x");
        symlink(folder.join("d"), folder.join("link")).unwrap();
        assert_eq!(refused(list("missing").await).0, 404);
        assert_eq!(refused(list("d/file").await).0, 400);
        assert_eq!(refused(list("link").await).0, 400);
    })
    .await;
}
