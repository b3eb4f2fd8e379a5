//! A connection whose client must not be slow: the head of a request, the gaps between requests, bodies and answers each
//! have their time. hyper's own limit counts from the end of the last request, and would close who is only idle.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body as AnyBody, Bytes};
use axum::http::{Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::limits::{Limits, Reserved, SHORT_ANSWER_BYTES};

/// Where a connection stands. The service and the connection share it.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Standing>);

#[derive(Debug, Default)]
struct Standing {
    /// Odd while a request is worked on.
    count: AtomicUsize,
    /// Bytes of answers that the server holds for this connection.
    held: AtomicUsize,
    /// Bytes of answers that were packed for it since the connection looked: it has come so far, however few go out.
    packed: AtomicUsize,
}

impl Turns {
    fn now(&self) -> usize {
        self.0.count.load(Ordering::Acquire)
    }

    /// The head of a request is here.
    pub fn begin(&self) {
        self.0.count.fetch_or(1, Ordering::AcqRel);
    }

    /// Its answer is written, or as good as.
    fn end(&self) {
        let now = self.now();
        self.0.count.store((now | 1).wrapping_add(1), Ordering::Release);
    }

    fn hold(&self, bytes: usize) -> Arc<Weight> {
        self.0.held.fetch_add(bytes, Ordering::Relaxed);
        Arc::new(Weight { turns: self.clone(), bytes })
    }
}

/// Bytes of an answer that are held until this is dropped.
struct Weight {
    turns: Turns,
    bytes: usize,
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.turns.0.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A piece of an answer, which is held as long as any of it waits to be sent.
struct Weighed {
    piece: Bytes,
    _weight: Arc<Weight>,
}

impl AsRef<[u8]> for Weighed {
    fn as_ref(&self) -> &[u8] {
        &self.piece
    }
}

/// In the extensions of an answer that is packed while it is sent: how long it is unpacked, and how much of that was packed
/// since somebody looked.
#[derive(Debug, Clone)]
pub struct Unpacked {
    /// All of it.
    pub bytes: usize,
    /// Taken out by who looks.
    pub packed: Arc<AtomicUsize>,
}

/// A connection that fails when its client is too slow, and ends when it is idle for too long.
pub struct Paced<S> {
    stream: S,
    limits: Limits,
    turns: Turns,
    /// The turn that `reading` and `writing` are of.
    turn: usize,
    /// Runs while a request is waited for: until its first byte, then until the end of its head.
    reading: Option<Pin<Box<Sleep>>>,
    head_began: bool,
    writing: Option<Window>,
    /// Whether bytes of an answer wait for the client to take them. hyper lets go of a body when it has its last piece,
    /// which may be long before that is sent: until then the client is not idle, and `writing` says how slow it may be.
    is_sending: bool,
}

impl<S> Paced<S> {
    /// Around a connection.
    pub fn new(stream: S, limits: Limits, turns: Turns) -> Self {
        let turn = turns.now();
        Self {
            stream,
            limits,
            turns,
            turn,
            reading: None,
            head_began: false,
            writing: None,
            is_sending: false,
        }
    }

    fn settle(&mut self) {
        let now = self.turns.now();
        if self.turn != now {
            self.turn = now;
            self.writing = None;
            self.head_began = false;
            // Kept, to be set anew: there is one for each connection, idle or not.
            if let Some(timer) = &mut self.reading {
                timer.as_mut().reset(Instant::now() + self.limits.idle_for);
            }
        }
    }

    /// Has the task woken when this connection was idle for too long. hyper does not read again after an answer before
    /// something comes, but it flushes.
    fn watch_idle(&mut self, context: &mut Context<'_>) {
        self.settle();
        if self.has_request() || self.head_began || self.is_sending {
            return;
        }
        let deadline = Instant::now() + self.limits.idle_for;
        let timer = self.reading.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.as_mut().poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
    }

    fn has_request(&self) -> bool {
        self.turn % 2 == 1
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.settle();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        if this.has_request() {
            return polled;
        }
        if polled.is_ready() && (buffer.filled().len() == before || this.head_began) {
            return polled;
        }
        let within = if polled.is_ready() { this.limits.head_within } else { this.limits.idle_for };
        let deadline = Instant::now() + within;
        if polled.is_ready() {
            this.head_began = true;
            this.reading.get_or_insert_with(|| Box::pin(sleep_until(deadline))).as_mut().reset(deadline);
            return polled;
        }
        if this.is_sending && !this.head_began {
            return Poll::Pending;
        }
        let timer = this.reading.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        ready!(timer.as_mut().poll(context));
        // As if the client had gone.
        Poll::Ready(if this.head_began { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) })
    }
}

impl<S: AsyncWrite + Unpin> Paced<S> {
    fn written(
        &mut self,
        polled: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.settle();
        let standing = &self.turns.0;
        let window = self.limits.answer_window;
        let least = self.limits.answer_least(standing.held.load(Ordering::Relaxed));
        let packed = standing.packed.swap(0, Ordering::Relaxed);
        if let Some(writing) = &mut self.writing {
            writing.count(packed);
        }
        self.is_sending = polled.is_pending();
        if !self.is_sending && !self.has_request() && !self.head_began {
            // It is idle from when the last of the answer went.
            if let Some(timer) = &mut self.reading {
                timer.as_mut().reset(Instant::now() + self.limits.idle_for);
            }
        }
        match polled {
            Poll::Ready(Ok(bytes)) => {
                if self.writing.as_mut().is_some_and(|writing| writing.count(bytes) >= least) {
                    self.writing = None;
                }
                polled
            }
            Poll::Pending => {
                let writing = self.writing.get_or_insert_with(|| Window::new(window));
                ready!(writing.poll_too_slow(context, least));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            failed => failed,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.written(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watch_idle(context);
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Time in which some bytes have to pass.
struct Window {
    length: Duration,
    end: Pin<Box<Sleep>>,
    bytes: usize,
}

impl Window {
    fn new(length: Duration) -> Self {
        Self { length, end: Box::pin(sleep_until(Instant::now() + length)), bytes: 0 }
    }

    /// How many have passed in it, with these.
    const fn count(&mut self, bytes: usize) -> usize {
        self.bytes += bytes;
        self.bytes
    }

    /// Ready when a window ended in which too few passed.
    fn poll_too_slow(&mut self, context: &mut Context<'_>, least: usize) -> Poll<()> {
        loop {
            ready!(self.end.as_mut().poll(context));
            if std::mem::take(&mut self.bytes) < least {
                return Poll::Ready(());
            }
            self.end.as_mut().reset(Instant::now() + self.length);
        }
    }
}

/// Why a body is not read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyRefused {
    /// It comes too slowly.
    TooSlow,
    /// Others take all the room that there is for bodies.
    NoRoom,
    /// It is packed in a way that is none of ours.
    Coding(String),
    /// It is not packed in the way that it says.
    NotPacked,
}

impl fmt::Display for BodyRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSlow => "the body came too slowly",
            Self::NoRoom => "no room for the body",
            Self::Coding(_) => "the body has a content-encoding that is not known here",
            Self::NotPacked => "the body is not what its content-encoding says",
        })
    }
}

impl std::error::Error for BodyRefused {}

/// The body of a request that must not come too slowly, and takes its room as it comes.
pub struct PacedBody {
    body: Incoming,
    limits: Limits,
    window: Option<Window>,
    reserved: Reserved,
}

impl PacedBody {
    /// The request with its body so. Handlers find the room that it takes in the extensions.
    pub fn around(request: Request<Incoming>, limits: Limits, reserved: &Reserved) -> Request<AnyBody> {
        let reserved = reserved.clone();
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(reserved.clone());
        Request::from_parts(parts, AnyBody::new(Self { body, limits, window: None, reserved }))
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Pending => {
                let window = this.window.get_or_insert_with(|| Window::new(this.limits.body_window));
                ready!(window.poll_too_slow(context, this.limits.bytes_least));
                Poll::Ready(Some(Err(BodyRefused::TooSlow.into())))
            }
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                if let Some(window) = &mut this.window {
                    window.count(bytes);
                }
                let has_room = this.reserved.take(bytes);
                Poll::Ready(Some(if has_room { Ok(frame) } else { Err(BodyRefused::NoRoom.into()) }))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer, whose end is the end of a turn.
pub struct Answered {
    body: AnyBody,
    turns: Turns,
    weight: Option<Arc<Weight>>,
    /// Of one that is packed while it is sent.
    packed: Option<Arc<AtomicUsize>>,
}

impl Answered {
    /// The answer with its body so.
    pub fn around(mut response: Response<AnyBody>, turns: Turns) -> Response<Self> {
        let unpacked = response.extensions_mut().remove::<Unpacked>();
        let exact = response.body().size_hint().exact().map(|bytes| bytes as usize);
        let bytes = unpacked.as_ref().map(|unpacked| unpacked.bytes).or(exact);
        // A short one is sent soon enough at the rate that is asked of all.
        let weight = bytes.filter(|bytes| *bytes > SHORT_ANSWER_BYTES).map(|bytes| turns.hold(bytes));
        let packed = unpacked.map(|unpacked| unpacked.packed);
        response.map(|body| Self { body, turns, weight, packed })
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.turns.end();
    }
}

impl Body for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if let Some(packed) = &this.packed {
            this.turns.0.packed.fetch_add(packed.swap(0, Ordering::Relaxed), Ordering::Relaxed);
            return polled;
        }
        // What is sent as it is is held until the last of it has gone, which may be after the end of the body.
        let Some(weight) = &this.weight else { return polled };
        let weighed = |piece| Bytes::from_owner(Weighed { piece, _weight: Arc::clone(weight) });
        polled.map(|frame| frame.map(|frame| frame.map(|frame| frame.map_data(weighed))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::stream::{StreamExt as _, iter};

    use super::*;

    /// Takes so many bytes each ten seconds.
    struct Slow {
        bytes: usize,
        next: Pin<Box<Sleep>>,
    }

    impl AsyncWrite for Slow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            ready!(self.next.as_mut().poll(context));
            self.next.as_mut().reset(Instant::now() + Duration::from_secs(10));
            Poll::Ready(Ok(self.bytes.min(bytes.len())))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Whether a client that takes so many bytes each ten seconds has all of an answer before it is cut off.
    async fn is_sent(answer: Response<AnyBody>, bytes: usize) -> bool {
        let (turns, next) = (Turns::default(), Box::pin(sleep_until(Instant::now())));
        let mut client = Paced::new(Slow { bytes, next }, Limits::default(), turns.clone());
        turns.begin();
        let mut answer = Some(Answered::around(answer, turns.clone()).into_body());
        while let Some(body) = &mut answer {
            let Some(frame) = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await else {
                break;
            };
            let mut piece = frame.expect("a piece").into_data().expect("bytes");
            if body.is_end_stream() {
                // As hyper does, which keeps the piece.
                answer = None;
            }
            while !piece.is_empty() {
                let written = poll_fn(|context| Pin::new(&mut client).poll_write(context, &piece)).await;
                let Ok(written) = written else { return false };
                drop(piece.split_to(written));
            }
        }
        drop(answer);
        assert_eq!(turns.0.held.load(Ordering::Relaxed), 0);
        true
    }

    /// Who takes 12 MiB at the rate that is enough for a short answer would hold them for four days.
    #[tokio::test(start_paused = true)]
    async fn a_long_answer_must_be_taken_more_quickly_than_a_short_one() {
        let of = |bytes| Response::new(AnyBody::from(vec![0; bytes]));
        assert!(is_sent(of(SHORT_ANSWER_BYTES), 512).await);
        assert!(!is_sent(of(12 << 20), 512).await);
        assert!(is_sent(of(12 << 20), 36_000).await);
    }

    /// One that is packed goes on as quickly as it is packed.
    #[tokio::test(start_paused = true)]
    async fn of_a_packed_answer_counts_what_was_packed() {
        let of = |each: usize| {
            let packed = Arc::new(AtomicUsize::new(0));
            let unpacked = Unpacked { bytes: 12 << 20, packed: Arc::clone(&packed) };
            let pieces = iter(0..200).map(move |_| {
                packed.fetch_add(each, Ordering::Relaxed);
                Ok::<_, io::Error>(vec![0; 512])
            });
            let mut answer = Response::new(AnyBody::from_stream(pieces));
            answer.extensions_mut().insert(unpacked);
            answer
        };
        assert!(is_sent(of(64 << 10), 512).await);
        assert!(!is_sent(of(1 << 10), 512).await);
    }
}
