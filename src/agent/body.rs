//! Bodies of answers that are sent while they are made.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;

/// Where the pieces of a body are sent; an error breaks the answer off. It fails once the client
/// does not listen any more.
pub(crate) type Pieces = mpsc::Sender<io::Result<Bytes>>;

/// A body, and where its pieces are sent; `backlog` of them may wait for the client.
pub(crate) fn channel(backlog: usize) -> (Pieces, Body) {
    let (sender, receiver) = mpsc::channel(backlog);
    (sender, Body::new(Receiving(receiver)))
}

/// The receiving end as a response's body.
struct Receiving(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Receiving {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let received = self.0.poll_recv(context);
        received.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
