//! Files.

use std::os::unix::fs::symlink;
use std::path::Path;

use bytes::Bytes;
use osb_conformance::execd::protocol::{
    FileMetadata, Permission, RenameFileItem, ReplaceFileContentItem,
};
use osb_conformance::execd::{Client, FileType};

use crate::support::{api, in_folder, on_both, refused};

/// Names that a query, a form or JSON could get wrong.
const NAMES: [&str; 9] = [
    "plain.txt",
    "with space",
    " ends in spaces ",
    "quo\"te'd\\",
    "new\nline\t",
    "åäö✓\u{1f642}",
    "a&b=c+d%2F%.txt",
    "semi;colon?#:*[x]",
    "deep/er/name",
];

fn metadata(path: String, mode: Option<u32>) -> FileMetadata {
    FileMetadata {
        path,
        permission: Permission {
            mode,
            ..Permission::default()
        },
    }
}

fn mode(mode: u32) -> Permission {
    Permission {
        mode: Some(mode),
        ..Permission::default()
    }
}

async fn upload(client: &Client, path: String, content: &[u8]) {
    let file = (metadata(path, None), Bytes::copy_from_slice(content));
    client.upload(&[file]).await.unwrap();
}

#[tokio::test]
async fn names_are_taken_as_they_are() {
    in_folder(async |client, folder| {
        for name in NAMES {
            let path = folder.join(name);
            upload(client, path.clone(), name.as_bytes()).await;
            assert_eq!(std::fs::read(&path).unwrap(), name.as_bytes(), "{name:?}");
            assert_eq!(client.download(&path).await.unwrap(), name, "{name:?}");
            let found = client.file_info(&[&path]).await.unwrap();
            assert_eq!(found[&path].path, path);
            assert_eq!(found[&path].size, name.len() as u64);
            assert_eq!(found[&path].file_type, FileType::File);
        }
        let paths = NAMES.map(|name| folder.join(name));
        let paths = paths.each_ref().map(String::as_str);
        assert_eq!(client.file_info(&paths).await.unwrap().len(), NAMES.len());
        client.delete_files(&paths).await.unwrap();
        assert!(paths.iter().all(|path| !Path::new(path).exists()));
    })
    .await;
}

#[tokio::test]
async fn content_comes_back() {
    in_folder(async |client, folder| {
        let binary: Vec<u8> = (0..=255).cycle().take(20 << 20).collect();
        let boundary = b"--osb-\r\n--\r\n\r\n".repeat(1000);
        let contents = [&binary[..1 << 20], b"", b"\r\n", &boundary, &binary];
        let files: Vec<_> = (0..).zip(contents).collect();
        let upload: Vec<_> = files
            .iter()
            .map(|(number, content)| {
                let path = folder.join(&format!("{number}"));
                (metadata(path, Some(640)), Bytes::copy_from_slice(content))
            })
            .collect();
        client.upload(&upload).await.unwrap();
        for (number, content) in files {
            let name = format!("{number}");
            let got = client.download(&folder.join(&name)).await.unwrap();
            assert!(got == content, "{number}: {} bytes", got.len());
            assert_eq!(folder.mode(&name), 0o640);
        }
    })
    .await;
}

#[tokio::test]
async fn uploads_overwrite_and_set_modes() {
    in_folder(async |client, folder| {
        let path = folder.write("f", "a long content");
        let file = (
            metadata(path.clone(), Some(600)),
            Bytes::from_static(b"new"),
        );
        client.upload(&[file]).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(folder.mode("f"), 0o600);
        assert_eq!(client.file_info(&[&path]).await.unwrap()[&path].mode, 600);
        assert_eq!(refused(client.upload(&[]).await).0, 400);
        let nowhere = (metadata(String::new(), None), Bytes::new());
        assert_eq!(refused(client.upload(&[nowhere]).await).0, 400);
    })
    .await;
}

#[tokio::test]
async fn parts_of_a_file() {
    in_folder(async |client, folder| {
        let path = folder.write("digits", "0123456789");
        let part = async |range| client.download_range(&path, range).await;
        assert_eq!(part("bytes=0-2").await.unwrap(), "012");
        assert_eq!(part("bytes=7-").await.unwrap(), "789");
        assert_eq!(part("bytes=-2").await.unwrap(), "89");
        assert_eq!(part("bytes=8-100").await.unwrap(), "89");
        assert_eq!(refused(part("bytes=10-").await).0, 416);

        let path = folder.write("lines", "one\ntwo\r\nthree\nfour\nfive\n");
        let lines = async |offset, limit| client.read_lines(&path, offset, limit).await;
        assert_eq!(lines(Some(1), Some(1)).await.unwrap(), "one");
        assert_eq!(lines(Some(2), Some(2)).await.unwrap(), "two\nthree");
        assert_eq!(lines(None, Some(1)).await.unwrap(), "one");
        assert_eq!(lines(Some(4), None).await.unwrap(), "four\nfive");
        assert_eq!(lines(Some(9), Some(1)).await.unwrap(), "");
        assert_eq!(refused(lines(Some(0), None).await).0, 400);
        assert_eq!(refused(lines(None, Some(0)).await).0, 400);
    })
    .await;
}

#[tokio::test]
async fn missing_files_are_told() {
    on_both(async |client| {
        let missing = api(404, "FILE_NOT_FOUND");
        assert_eq!(refused(client.download("/osb/nope").await), missing);
        assert_eq!(refused(client.file_info(&["/osb/nope"]).await), missing);
        assert_eq!(refused(client.search("/osb/nope", None).await).0, 404);
        let items = [RenameFileItem {
            src: "/osb/nope".into(),
            dest: "/osb/other".into(),
        }];
        assert_eq!(refused(client.move_files(&items).await).0, 404);
        client.delete_files(&["/osb/nope"]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn links_are_not_followed_and_directories_not_deleted() {
    in_folder(async |client, folder| {
        let target = folder.write("d/target", "content");
        let (link, directory) = (folder.join("link"), folder.join("d"));
        symlink(&target, &link).unwrap();
        let found = client.file_info(&[&link, &directory]).await.unwrap();
        assert_eq!(found[&link].file_type, FileType::Symlink);
        assert_eq!(found[&directory].file_type, FileType::Directory);
        client.delete_files(&[&directory]).await.unwrap_err();
        assert!(Path::new(&target).exists());
        client.delete_files(&[&link]).await.unwrap();
        assert!(!Path::new(&link).is_symlink() && Path::new(&target).exists());
    })
    .await;
}

#[tokio::test]
async fn modes_and_places_change() {
    in_folder(async |client, folder| {
        let (a, b) = (folder.write("a", "a"), folder.write("b b", "b"));
        let wanted = [(a.clone(), mode(600)), (b.clone(), mode(751))].into();
        client.set_permissions(&wanted).await.unwrap();
        assert_eq!((folder.mode("a"), folder.mode("b b")), (0o600, 0o751));

        let item = |src: &str, dest: &str| RenameFileItem {
            src: src.into(),
            dest: folder.join(dest),
        };
        folder.write("d/x", "x");
        let items = [
            item(&a, "d/a"),
            item(&b, "b\nb"),
            item(&folder.join("d"), "e"),
        ];
        client.move_files(&items).await.unwrap();
        assert_eq!(std::fs::read(folder.join("e/a")).unwrap(), b"a");
        assert_eq!(std::fs::read(folder.join("e/x")).unwrap(), b"x");
        assert_eq!(std::fs::read(folder.join("b\nb")).unwrap(), b"b");
    })
    .await;
}

#[tokio::test]
async fn files_are_found() {
    in_folder(async |client, folder| {
        let names = ["a.txt", "b.rs", "d/c.txt", "d/e/f å.txt"];
        for name in names {
            folder.write(name, name);
        }
        let find = async |pattern| {
            let found = client.search(folder.path(), pattern).await.unwrap();
            let mut paths: Vec<_> = found.into_iter().map(|info| info.path).collect();
            paths.sort();
            paths
        };
        let text = [names[0], names[2], names[3]].map(|name| folder.join(name));
        assert_eq!(find(Some("*.txt")).await, text);
        assert_eq!(find(None).await, names.map(|name| folder.join(name)));
        assert!(find(Some("*å.md")).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn text_is_replaced() {
    in_folder(async |client, folder| {
        let (a, b) = (folder.write("a", "x1 x2 x3"), folder.write("b", "none"));
        client
            .set_permissions(&[(a.clone(), mode(640))].into())
            .await
            .unwrap();
        let item = |old: &str| ReplaceFileContentItem {
            old: old.into(),
            new: "å\n".into(),
        };
        let items = [(a.clone(), item("x")), (b.clone(), item("y"))].into();
        let counts = client.replace(&items).await.unwrap();
        assert_eq!(counts, [(a.clone(), 3), (b.clone(), 0)].into());
        assert_eq!(std::fs::read_to_string(&a).unwrap(), "å\n1 å\n2 å\n3");
        assert_eq!(folder.mode("a"), 0o640);
        let nothing = [(a, item(""))].into();
        assert_eq!(refused(client.replace(&nothing).await).0, 400);
    })
    .await;
}
