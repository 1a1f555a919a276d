//! Servers between a tool and the emulator: one keeps every request, one gives the same answers again, slowly.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Hands requests on to an emulator, each in a thread of its own, and keeps them.
pub struct Recorder {
    host: String,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Recorder {
    /// A recorder before the emulator at `host`. It runs until the tests end.
    pub fn new(emulator: &str) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (emulator, kept) = (emulator.to_owned(), Arc::clone(&requests));
        let host = serve(move |request| {
            let answer = forward(&request, &emulator)?;
            let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
            let text = String::from_utf8_lossy(&answer);
            let (head, content) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
            kept.lock().expect("requests").push(json!({
                "method": request.method,
                "target": request.target,
                "body": json(&request.body),
                "status": head.split(' ').nth(1),
                "answer": json(content.as_bytes()),
            }));
            Ok(answer)
        });
        Self { host, requests }
    }

    /// Where it listens.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The requests so far: method, target and body of each, and the answer.
    pub fn requests(&self) -> Vec<Value> {
        self.requests.lock().expect("requests").clone()
    }
}

/// Gives recorded answers, each after the same time, as a service that is far away does.
pub struct Replay {
    host: String,
    seen: Arc<Mutex<Vec<(Instant, Instant, String)>>>,
}

impl Replay {
    /// The answers to `requests`, each after `latency`. Those to queries hold what they cost, as BigQuery's do.
    pub fn new(requests: Vec<Value>, latency: Duration) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let host = serve(move |request| {
            let arrived = Instant::now();
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let same = |known: &&Value| {
                known["target"] == request.target.as_str()
                    && known["body"]["query"] == body["query"]
                    && known["body"]["queryParameters"] == body["queryParameters"]
            };
            let known = requests.iter().find(same);
            let mut answer = known.map_or(Value::Null, |known| known["answer"].clone());
            if answer.get("jobReference").is_some() {
                answer["totalBytesProcessed"] = "1000".into();
                answer["totalBytesBilled"] = "1000".into();
                answer["cacheHit"] = false.into();
            }
            let status = known.and_then(|known| known["status"].as_str());
            let content = answer.to_string();
            std::thread::sleep(latency);
            let statement = body["query"].as_str().unwrap_or_default();
            let asked = format!("{} {statement:.90}", request.target);
            let seen = (arrived, Instant::now(), asked);
            kept.lock().expect("requests").push(seen);
            Ok(format!(
                "HTTP/1.1 {} -\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{content}",
                status.unwrap_or("501"),
                content.len()
            )
            .into_bytes())
        });
        Self { host, seen }
    }

    /// Where it listens.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What was asked for: the target and the beginning of the statement, in order.
    pub fn targets(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("requests");
        seen.iter().map(|(.., target)| target.clone()).collect()
    }

    /// How many requests came, and how many of them had to wait for one another.
    pub fn requests_and_steps(&self) -> (usize, usize) {
        let mut times = self.seen.lock().expect("requests").clone();
        times.sort();
        let mut steps: Vec<usize> = Vec::new();
        for (at, (arrived, ..)) in times.iter().enumerate() {
            let before = (0..at).filter(|&before| times[before].1 <= *arrived);
            steps.push(1 + before.map(|before| steps[before]).max().unwrap_or(0));
        }
        (times.len(), steps.into_iter().max().unwrap_or(0))
    }
}

struct Request {
    /// The lines of the head that go on, without the last empty one.
    head: String,
    method: String,
    target: String,
    body: Vec<u8>,
}

/// Answers requests, each in a thread of its own, and returns where. Each connection carries one request.
fn serve(answer: impl Fn(Request) -> std::io::Result<Vec<u8>> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let host = listener.local_addr().expect("its address").to_string();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A client that went away is no fault of the server.
            std::thread::spawn(move || {
                let mut reader = BufReader::new(client);
                let request = read(&mut reader)?;
                reader.get_mut().write_all(&answer(request)?)
            });
        }
    });
    host
}

fn read(reader: &mut BufReader<TcpStream>) -> std::io::Result<Request> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
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
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut first = head.split(' ').map(str::to_owned);
    Ok(Request {
        method: first.next().unwrap_or_default(),
        target: first.next().unwrap_or_default(),
        head,
        body,
    })
}

fn forward(request: &Request, host: &str) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(host)?;
    server.write_all(format!("{}Connection: close\r\n\r\n", request.head).as_bytes())?;
    server.write_all(&request.body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}
