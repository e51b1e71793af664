//! A web server on the loopback interface, honest or faulty.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long the server waits for a client that does nothing.
pub const HANG: Duration = Duration::from_secs(10);

/// What a request asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    pub path: String,
    /// The first byte of a `Range`.
    pub from: Option<usize>,
    pub if_range: Option<String>,
}

/// What a request gets.
pub struct Reply {
    pub status: &'static str,
    pub headers: Vec<(&'static str, String)>,
    /// `None` leaves `Content-Length` out.
    pub length: Option<usize>,
    pub body: Vec<u8>,
    /// After the body, silence instead of the end of the connection.
    pub hang: bool,
}

impl Reply {
    pub fn status(status: &'static str) -> Self {
        Self {
            status,
            headers: vec![],
            length: Some(0),
            body: vec![],
            hang: false,
        }
    }

    /// The whole of `body`.
    pub fn whole(body: &[u8]) -> Self {
        Self {
            length: Some(body.len()),
            body: body.to_vec(),
            ..Self::status("200 OK")
        }
    }

    /// What an honest server answers to `request` for a file with `body` and this `ETag`.
    pub fn honest(request: &Request, body: &[u8], tag: &str) -> Self {
        let current = request.if_range.as_ref().is_none_or(|asked| asked == tag);
        let mut reply = match request.from {
            Some(from) if current && from >= body.len() => {
                Self::status("416 Range Not Satisfiable")
            }
            Some(from) if current => {
                let (last, total) = (body.len() - 1, body.len());
                Self {
                    status: "206 Partial Content",
                    headers: vec![("Content-Range", format!("bytes {from}-{last}/{total}"))],
                    ..Self::whole(&body[from..])
                }
            }
            _ => Self::whole(body),
        };
        reply.headers.push(("ETag", tag.to_owned()));
        reply
    }

    /// The same, but the connection ends after `bytes` of the body.
    pub fn cut(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        self
    }
}

/// Stops when it is dropped.
pub struct Server {
    pub url: String,
    log: Arc<Mutex<Vec<(Request, usize)>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// `answer` gets each request and the number of those before it.
    pub fn new(mut answer: impl FnMut(&Request, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(vec![]));
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, stopped) = (Arc::clone(&log), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(HANG)).unwrap();
                let request = read(&stream);
                let before = seen.lock().unwrap().len();
                let reply = answer(&request, before);
                seen.lock().unwrap().push((request, reply.body.len()));
                write(stream, &reply);
            }
        });
        Self {
            url,
            log,
            stop,
            thread: Some(thread),
        }
    }

    /// Serves `body` under every name.
    pub fn honest(body: Vec<u8>) -> Self {
        Self::new(move |request, _| Reply::honest(request, &body, "\"v1\""))
    }

    /// Where each request asked to begin.
    pub fn begun(&self) -> Vec<Option<usize>> {
        let log = self.log.lock().unwrap();
        log.iter().map(|(request, _)| request.from).collect()
    }

    pub fn requests(&self) -> Vec<Request> {
        let log = self.log.lock().unwrap();
        log.iter().map(|(request, _)| request.clone()).collect()
    }

    /// How many bytes of bodies were sent.
    pub fn sent(&self) -> usize {
        self.log.lock().unwrap().iter().map(|(_, sent)| sent).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let mut request = Request {
        path: first.split(' ').nth(1).unwrap().to_owned(),
        ..Request::default()
    };
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                let from = value.strip_prefix("bytes=").unwrap();
                request.from = Some(from.strip_suffix('-').unwrap().parse().unwrap());
            }
            "if-range" => request.if_range = Some(value.to_owned()),
            "accept-encoding" => assert_eq!(value, "identity"),
            _ => {}
        }
    }
    request
}

/// A client that has seen enough may close at any time, so errors mean nothing here.
fn write(mut stream: TcpStream, reply: &Reply) {
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if let Some(length) = reply.length {
        head += &format!("Content-Length: {length}\r\n");
    }
    let _ = stream.write_all((head + "\r\n").as_bytes());
    let _ = stream.write_all(&reply.body);
    if reply.hang {
        // Until the client has had enough.
        let _ = stream.read(&mut [0]);
    }
}
