//! A bare actix route, in a process of its own: the same executable with other arguments.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitCode, Stdio};

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::{Deserialize, Serialize};

use crate::process::cores;

pub const COMMAND: &str = "serve-bare";

/// What it replies.
#[derive(Clone, Serialize, Deserialize)]
struct Reply {
    headers: Vec<(String, String)>,
    body: String,
}

pub struct Bare {
    child: Child,
    pub address: String,
}

impl Bare {
    /// Starts it with the headers and the body of a reply.
    pub fn start(mut reply: ureq::http::Response<ureq::Body>) -> Self {
        let by_actix = ["content-length", "date"];
        let headers = reply.headers().iter();
        let headers = headers
            .filter(|(name, _)| !by_actix.contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()))
            .collect();
        let body = reply.body_mut().read_to_string().expect("a body");
        let reply = serde_json::to_string(&Reply { headers, body }).expect("JSON");
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([COMMAND, &reply])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut address = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut address)
            .expect("a line");
        Self {
            child,
            address: address.trim().to_owned(),
        }
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves the reply until the process is killed.
pub fn serve(reply: String) -> ExitCode {
    let reply: Reply = serde_json::from_str(&reply).expect("JSON");
    let headers: Vec<(HeaderName, HeaderValue)> = reply
        .headers
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("a value");
            (name.parse().expect("a name"), value)
        })
        .collect();
    let body = web::Bytes::from(reply.body);
    actix_web::rt::System::new()
        .block_on(async {
            let server = HttpServer::new(move || {
                let (headers, body) = (headers.clone(), body.clone());
                let up = move || {
                    let mut reply = HttpResponse::Ok();
                    for header in &headers {
                        reply.insert_header((header.0.clone(), header.1.clone()));
                    }
                    let reply = reply.body(body.clone());
                    async { reply }
                };
                App::new().route("/up", web::get().to(up))
            });
            let server = server.workers(cores()).bind("127.0.0.1:0")?;
            println!("{}", server.addrs()[0]);
            std::io::stdout().flush()?;
            server.run().await
        })
        .expect("a server");
    ExitCode::SUCCESS
}
