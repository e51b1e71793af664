//! HTTP server on the loopback interface, honest or faulty.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Response with the length of `body`; `header` are further lines, each with its line end.
pub fn reply(status: &str, header: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{header}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Response with `body` from byte `from` on.
pub fn honest(from: Option<usize>, body: &[u8]) -> Vec<u8> {
    let total = body.len();
    match from {
        None => reply("200 OK", "", body),
        Some(from) if from < total => {
            let range = format!("Content-Range: bytes {from}-{}/{total}\r\n", total - 1);
            reply("206 Partial Content", &range, &body[from..])
        }
        Some(_) => reply("416 Range Not Satisfiable", "", b""),
    }
}

/// Server that ends when it is dropped.
pub struct Server {
    pub url: String,
    begun: Arc<Mutex<Vec<Option<usize>>>>,
}

impl Server {
    /// `answer` gets the first byte that a request asks for, and the number of earlier requests.
    pub fn new(mut answer: impl FnMut(Option<usize>, usize) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let begun = Arc::new(Mutex::new(vec![]));
        let log = Arc::clone(&begun);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // A connection without a request ends the server.
                let Some(from) = first_byte(&stream) else {
                    break;
                };
                let mut log = log.lock().unwrap();
                let reply = answer(from, log.len());
                log.push(from);
                // The client may close at any time.
                let _ = stream.write_all(&reply);
            }
        });
        Self { url, begun }
    }

    /// Serves `body` under every name.
    pub fn honest(body: Vec<u8>) -> Self {
        Self::new(move |from, _| honest(from, &body))
    }

    /// First byte that each request asked for.
    pub fn begun(&self) -> Vec<Option<usize>> {
        self.begun.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

/// First byte that the request asks for; `None` without a request.
fn first_byte(stream: &TcpStream) -> Option<Option<usize>> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.next()?;
    let mut from = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        let line = line.to_ascii_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = Some(range.strip_suffix('-')?.parse().ok()?);
        }
    }
    Some(from)
}
