//! A server between a tool and the emulator that keeps every request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// Hands requests on to an emulator, each in a thread of its own, and keeps them.
pub struct Recorder {
    host: String,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Recorder {
    /// A recorder before the emulator at `host`. It runs until the tests end.
    pub fn new(emulator: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("its address").to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (emulator, kept) = (emulator.to_owned(), Arc::clone(&requests));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (emulator, kept) = (emulator.clone(), Arc::clone(&kept));
                // A client that went away is no fault of the recorder.
                std::thread::spawn(move || hand_on(client, &emulator, &kept));
            }
        });
        Self { host, requests }
    }

    /// Where it listens.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The requests so far: method, target, body and answer of each.
    pub fn requests(&self) -> Vec<Value> {
        self.requests.lock().expect("requests").clone()
    }
}

/// Keeps one request and hands it on. Each connection carries one request: both sides are told to close it.
fn hand_on(client: TcpStream, emulator: &str, kept: &Mutex<Vec<Value>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "connection" => continue,
            _ => {}
        }
        head.push(line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut first = head[0].split(' ');
    let (method, target) = (first.next(), first.next());
    let mut server = TcpStream::connect(emulator)?;
    server.write_all(format!("{}Connection: close\r\n\r\n", head.concat()).as_bytes())?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|at| at == b"\r\n\r\n");
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    kept.lock().expect("requests").push(json!({
        "method": method,
        "target": target,
        "body": json(&body),
        "answer": end.and_then(|end| json(&answer[end + 4..])),
    }));
    reader.get_mut().write_all(&answer)
}
