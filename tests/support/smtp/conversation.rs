//! One client's visit: from the greeting to the end of the connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use mailin::{Action, AuthMechanism, Handler, Response, SessionBuilder, response};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{At, Behaviour, Misbehaviour, Received, ReplyForm, State, Tls};

pub(super) fn converse(
    stream: TcpStream,
    state: &Arc<State>,
    behaviour: &Behaviour,
    tls: Arc<ServerConfig>,
) -> io::Result<()> {
    match behaviour.misbehaviour {
        Some(Misbehaviour::Silent) => return io::copy(&mut &stream, &mut io::sink()).map(|_| ()),
        Some(Misbehaviour::GreetsEndlessly) => loop {
            (&stream).write_all(format!("220-{:900}\r\n", "and another thing").as_bytes())?;
        },
        _ => {}
    }

    let secured = Arc::new(AtomicBool::new(behaviour.tls == Tls::Implicit));
    let visitor = Visitor {
        state: state.clone(),
        secured: secured.clone(),
        authenticated: false,
        mail: Received::default(),
    };
    let mut session = session_builder(behaviour).build(IpAddr::from([127, 0, 0, 1]), visitor);
    let mut line = Line::clear(&stream)?;
    if behaviour.tls == Tls::Implicit {
        line = Line::secured(&stream, tls.clone())?;
        session.tls_active();
    }

    line.answer(&session.greeting(), form_of(behaviour, "greeting"))?;
    let mut in_data = false;
    let mut in_auth = false;
    while let Some(command) = line.receive()? {
        if in_data && behaviour.misbehaviour == Some(Misbehaviour::ClosesInData) {
            return stream.shutdown(Shutdown::Both);
        }
        if !secured.load(Ordering::SeqCst) && !in_data {
            let words = String::from_utf8_lossy(&command).trim_end().to_owned();
            state.cleartext_commands.lock().unwrap().push(words);
        }

        let hangs = match behaviour.misbehaviour {
            Some(Misbehaviour::SilentAtRecipient) => true,
            Some(Misbehaviour::SilentAtRecipientsOf(text)) => {
                String::from_utf8_lossy(&command).contains(text)
            }
            _ => false,
        };
        if hangs && command.starts_with(b"RCPT") {
            return io::copy(&mut &stream, &mut io::sink()).map(|_| ());
        }

        let answer = session.process(&command);
        if let Some(Misbehaviour::Delays(time)) = behaviour.misbehaviour
            && answer.action != Action::NoReply
        {
            thread::sleep(time);
        }
        let data_ended = in_data && answer.action != Action::NoReply;
        if data_ended && behaviour.misbehaviour == Some(Misbehaviour::SilentAfterData) {
            return io::copy(&mut &stream, &mut io::sink()).map(|_| ());
        }
        if answer.action == Action::UpgradeTls
            && behaviour.misbehaviour == Some(Misbehaviour::AnswersAheadOfTls)
        {
            // In one piece, so that the client reads both before it turns to TLS.
            (&stream).write_all(b"220 go ahead\r\n250 and so on\r\n")?;
        } else {
            let words = String::from_utf8_lossy(&command).to_uppercase();
            let step = match words.split_whitespace().next() {
                _ if in_data => "end of data",
                _ if in_auth => "AUTH",
                first => first.unwrap_or_default(),
            };
            line.answer(&answer, form_of(behaviour, step))?;
        }
        in_auth = answer.code == 334;
        in_data = answer.code == 354 || (in_data && !data_ended);
        match answer.action {
            Action::Close => return stream.shutdown(Shutdown::Both),
            Action::UpgradeTls => {
                line = Line::secured(&stream, tls.clone())?;
                session.tls_active();
                secured.store(true, Ordering::SeqCst);
            }
            _ if data_ended && behaviour.misbehaviour == Some(Misbehaviour::ClosesAfterData) => {
                return stream.shutdown(Shutdown::Both);
            }
            Action::Reply | Action::NoReply => {}
        }
    }
    Ok(())
}

/// A connection, in the clear or not.
struct Line(BufReader<Box<dyn ReadWrite>>);

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

impl Line {
    fn clear(stream: &TcpStream) -> io::Result<Self> {
        Ok(Self(BufReader::new(Box::new(stream.try_clone()?))))
    }

    fn secured(stream: &TcpStream, tls: Arc<ServerConfig>) -> io::Result<Self> {
        let connection = ServerConnection::new(tls).map_err(io::Error::other)?;
        Ok(Self(BufReader::new(Box::new(StreamOwned::new(
            connection,
            stream.try_clone()?,
        )))))
    }

    fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut command = Vec::new();
        let received = self.0.read_until(b'\n', &mut command)?;
        Ok((received > 0).then_some(command))
    }

    fn answer(&mut self, answer: &Response, form: Option<ReplyForm>) -> io::Result<()> {
        let mut reply = answer.buffer()?;
        if let Some(form) = form
            && !reply.is_empty()
        {
            reply = in_form(&String::from_utf8_lossy(&reply), form);
        }
        self.0.get_mut().write_all(&reply)?;
        self.0.get_mut().flush()
    }
}

fn form_of(behaviour: &Behaviour, step: &str) -> Option<ReplyForm> {
    let mut forms = behaviour.reply_forms.iter();
    forms.find(|(at, _)| *at == step).map(|(_, form)| *form)
}

/// The same reply in another form. The first line's text has no meaning; further lines are the keywords of `EHLO`.
fn in_form(reply: &str, form: ReplyForm) -> Vec<u8> {
    let (first, rest) = reply.split_once("\r\n").unwrap();
    let (code, separator) = (&first[..3], if rest.is_empty() { " " } else { "-" });
    let changed = match form {
        ReplyForm::NoText if rest.is_empty() => format!("{code}\r\n"),
        ReplyForm::NoText | ReplyForm::OnlySpace => format!("{code}{separator}\r\n{rest}"),
        ReplyForm::LinesWithoutText if rest.is_empty() => {
            format!("{code}-\r\n{code}-\r\n{code}\r\n")
        }
        ReplyForm::LinesWithoutText => {
            format!("{code}-\r\n{code}-\r\n{rest}{code}\r\n").replace("250 ", "250-")
        }
        ReplyForm::LineFeed => reply.replace("\r\n", "\n"),
        ReplyForm::Binary => {
            let mut bytes = format!("{code}{separator}").into_bytes();
            bytes.extend_from_slice(b"\xff\xfe\r\n");
            bytes.extend_from_slice(rest.as_bytes());
            return bytes;
        }
        ReplyForm::LowerCase => reply.to_lowercase(),
        ReplyForm::MixedCase => {
            let mixed = |(at, c): (usize, char)| match at % 2 {
                0 => c.to_ascii_lowercase(),
                _ => c.to_ascii_uppercase(),
            };
            reply.chars().enumerate().map(mixed).collect()
        }
    };
    changed.into_bytes()
}

fn session_builder(behaviour: &Behaviour) -> SessionBuilder {
    let mut builder = SessionBuilder::new("mail.test");
    if behaviour.tls == Tls::Starttls {
        builder.enable_start_tls();
    }
    if behaviour.credentials.is_some() {
        builder.enable_auth(match behaviour.login {
            true => AuthMechanism::Login,
            false => AuthMechanism::Plain,
        });
    }
    builder
}

/// Decides what the state machine answers, and collects the mail.
struct Visitor {
    state: Arc<State>,
    secured: Arc<AtomicBool>,
    authenticated: bool,
    mail: Received,
}

impl Handler for Visitor {
    fn helo(&mut self, _ip: IpAddr, _domain: &str) -> Response {
        self.answer(At::Hello)
    }

    fn auth_plain(&mut self, _authorization: &str, user: &str, password: &str) -> Response {
        self.auth_login(user, password)
    }

    fn auth_login(&mut self, user: &str, password: &str) -> Response {
        let credentials = self.state.behaviour.lock().unwrap().credentials;
        self.authenticated = credentials == Some((user, password));
        match self.authenticated {
            true => response::AUTH_OK,
            false => response::INVALID_CREDENTIALS,
        }
    }

    fn mail(&mut self, _ip: IpAddr, _domain: &str, from: &str) -> Response {
        self.mail = Received {
            from: from.to_owned(),
            tls: self.secured.load(Ordering::SeqCst),
            authenticated: self.authenticated,
            ..Received::default()
        };
        self.answer(At::Sender)
    }

    fn rcpt(&mut self, to: &str) -> Response {
        self.mail.to.push(to.to_owned());
        self.answer(At::Recipient)
    }

    fn data_start(
        &mut self,
        _domain: &str,
        _from: &str,
        _is8bit: bool,
        _to: &[String],
    ) -> Response {
        self.answer(At::Data)
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.mail.data.push_str(&String::from_utf8_lossy(line));
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let answer = self.answer(At::Content);
        if !answer.is_error {
            let mail = std::mem::take(&mut self.mail);
            self.state
                .received
                .send_modify(|received| received.push(mail));
        }
        answer
    }
}

impl Visitor {
    fn answer(&self, at: At) -> Response {
        let mut behaviour = self.state.behaviour.lock().unwrap();
        match behaviour.refusals.first() {
            Some((due, _)) if *due == at => {
                let (_, refusal) = behaviour.refusals.remove(0);
                let (code, text) = refusal.split_once(' ').unwrap();
                Response::custom(code.parse().unwrap(), text.to_owned())
            }
            _ => response::OK,
        }
    }
}
