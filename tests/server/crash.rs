//! `kill -9` in the middle of everything, again and again: what was acknowledged is still true afterwards.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::acknowledged::{
    Answer, Dice, SESSIONS_WITHOUT_EVENT, Scope, Worker, assert_all_were_under_way, verify_all,
    work_beside, workers,
};
use crate::support::process::{Server, TestServer, agent, request};

const ROUNDS: usize = 30;
const WORKERS: usize = 4;

#[test]
fn acknowledged_writes_survive_kill_9() {
    let mut dice = Dice::from_environment();
    let test_server = TestServer::on_file();
    let mut workers = workers(WORKERS, &mut dice);
    let mails = test_server.mail_folder();
    for _ in 0..ROUNDS {
        let mut server = test_server.serve();
        let (agent, address) = (agent(), server.url(""));
        let call = |method: &str, path: &str, token: Option<&str>, body: Option<&Value>| {
            let answer = request(&agent, &format!("{address}{path}"), method, token, body).ok();
            assert!(
                answer.as_ref().is_none_or(|(status, _)| *status < 500),
                "{answer:?}"
            );
            answer
        };
        work_beside(&mut workers, &call, Some(&mails), |progress| {
            progress.wait_for(usize::try_from(dice.roll() % 60).unwrap());
            // The moment of the crash: nothing to wait for.
            thread::sleep(Duration::from_millis(dice.roll() % 30));
            server.signal("KILL");
        });
        server.kill();
        let server = test_server.serve();
        assert_sound(&test_server);
        verify(&mut workers, &server, Scope::Latest);
    }
    let server = test_server.serve();
    verify(&mut workers, &server, Scope::All);
    assert_all_were_under_way(&workers, &[]);
}

fn assert_sound(test_server: &TestServer) {
    let found: String = test_server
        .open_database()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(found, "ok");
    assert_eq!(test_server.store().count(SESSIONS_WITHOUT_EVENT), 0);
}

fn verify(workers: &mut [Worker], server: &Server, scope: Scope) {
    let agent = agent();
    let call = |method: &str, path: &str, token: Option<&str>, body: Option<&Value>| -> Answer {
        request(&agent, &server.url(path), method, token, body).ok()
    };
    verify_all(workers, &call, scope);
}
