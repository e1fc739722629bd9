//! The figures for Prometheus: what is counted, under which labels, and what is never in them.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use cloakroom::features;
use cloakroom::metrics::Counter;
use cloakroom::server::held;
use cloakroom::testing::TestApp;
use serde_json::json;

use crate::support::app::{ONE, PASSWORD, signed_in};
use crate::support::provider::{Browser, FakeProvider};
use crate::support::route_cases::cases;

/// The value of a series, written as in the text; 0 if it is not there.
fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

/// How many requests of a route there were, of any method and status.
fn requests(text: &str, route: &str) -> f64 {
    let start = format!("cloakroom_http_requests_total{{route=\"{route}\",");
    let lines = text.lines().filter(|line| line.starts_with(&start));
    lines
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum()
}

/// The series without their values, except those of the process.
fn series(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .filter(|line| line.starts_with("cloakroom_"))
        .map(|line| line.rsplit_once(' ').unwrap().0.to_owned());
    lines.collect()
}

#[actix_web::test]
async fn each_route_is_counted_under_its_own_pattern() {
    let app = TestApp::new().await;
    let paths = features::enabled_routes(&app.context().settings).paths();
    for path in paths.iter().copied() {
        let before = app.metrics();
        let case = cases().into_iter().find(|case| case.path == path).unwrap();
        let url = path.replace("{id}", "1").replace(['{', '}'], "");
        let reply = app.call(case.methods()[0].clone(), &url).send().await;
        let after = app.metrics();
        for other in paths.iter().copied() {
            let more = requests(&after, other) - requests(&before, other);
            assert_eq!(more, f64::from(u8::from(other == path)), "{path}: {other}");
        }
        let labels = format!(
            "route=\"{path}\",method=\"{}\",status=\"{}\"",
            case.methods()[0],
            reply.status
        );
        let counted = value(
            &after,
            &format!("cloakroom_http_requests_total{{{labels}}}"),
        );
        assert!(counted >= 1.0, "{labels}: {after}");
    }
}

#[actix_web::test]
async fn what_clients_invent_adds_one_series() {
    let app = TestApp::new().await;
    let invent = async |number: usize| {
        let method = Method::from_bytes(format!("M{number}").as_bytes()).unwrap();
        app.call(method.clone(), &format!("/unknown/{number}"))
            .send()
            .await;
        app.call(method, "/up").send().await;
        app.get(&format!("/v1/projects/{number}?q={number}"))
            .send()
            .await;
    };
    invent(0).await;
    let first = series(&app.metrics());
    for number in 1..100 {
        invent(number).await;
    }
    let text = app.metrics();
    assert_eq!(series(&text), first);
    let refused = r#"cloakroom_http_requests_total{route="/up",method="other",status="405"}"#;
    assert_eq!(value(&text, refused), 100.0);
    assert_eq!(requests(&text, "other"), 100.0);
}

#[actix_web::test]
async fn routes_of_an_embedding_app_are_one_series() {
    let app = TestApp::builder()
        .at("/auth")
        .routes(|config| {
            config.route(
                "/mine/{id}",
                web::get().to(async || HttpResponse::ImATeapot()),
            );
        })
        .build()
        .await;
    app.get("/mine/1").send().await;
    app.get("/auth/up").send().await;
    let text = app.metrics();
    let mine = r#"cloakroom_http_requests_total{route="other",method="GET",status="other"}"#;
    assert_eq!(value(&text, mine), 1.0);
    assert_eq!(requests(&text, "/up"), 1.0);
}

#[actix_web::test]
async fn durations_are_counted_in_seconds() {
    let (app, _, _) = signed_in().await;
    let labels = r#"route="/v1/session",method="POST""#;
    let sign_in = json!({"email_address": ONE, "password": PASSWORD});
    app.post("/v1/session").json(&sign_in).send().await;
    let text = app.metrics();
    let name = "cloakroom_http_request_duration_seconds";
    assert_eq!(value(&text, &format!("{name}_count{{{labels}}}")), 1.0);
    assert_eq!(
        value(&text, &format!("{name}_bucket{{{labels},le=\"+Inf\"}}")),
        1.0
    );
    let sum = value(&text, &format!("{name}_sum{{{labels}}}"));
    assert!(sum > 0.0 && sum < 60.0, "{sum}");
    assert!(
        text.contains(&format!("{name}_bucket{{{labels},le=\"0.001\"}}")),
        "{text}"
    );
    assert!(
        text.contains(&format!("{name}_bucket{{{labels},le=\"10\"}}")),
        "{text}"
    );
}

#[actix_web::test]
async fn limits_that_are_reached_are_counted() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    let wrong = json!({"email_address": ONE, "password": "wrong password"});
    let mut refused = 0.0;
    for _ in 0..20 {
        let reply = app.post("/v1/session").json(&wrong).send().await;
        refused += f64::from(u8::from(reply.status == 429));
    }
    let text = app.metrics();
    let counted = value(&text, r#"cloakroom_limits_reached_total{limit="sign_in"}"#)
        + value(
            &text,
            r#"cloakroom_limits_reached_total{limit="address_failures"}"#,
        );
    assert!(refused > 0.0);
    assert_eq!(counted, refused);
}

#[actix_web::test]
async fn nothing_private_is_in_the_text() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, "correct horse battery").await;
    let token = app.sign_in_as(&user).await;
    app.get("/v1/user").bearer(&token).send().await;
    let wrong = json!({"email_address": ONE, "password": "wrong password"});
    app.post("/v1/session").json(&wrong).send().await;
    app.get(&format!("/v1/passwords/{token}")).send().await;
    app.get(&format!("/{token}?token={token}")).send().await;
    let text = app.metrics();
    for private in [
        ONE,
        "correct horse battery",
        "wrong password",
        &token,
        "example.com",
        "127.0.0.1",
    ] {
        assert!(!text.contains(private), "{private}: {text}");
    }
}

/// The page about the metrics lists what is declared, and nothing else.
#[actix_web::test]
async fn every_documented_metric_is_served() {
    let page = include_str!("../../docs/reference/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter(|row| row.starts_with("cloakroom_") || row.starts_with("process_"));
    let provider = FakeProvider::start();
    let app = provider.app().await;
    app.get("/up").send().await;
    let context = app.context();
    context.metrics.note_log(Arc::new(Counter::default()));
    held::count_waiting(context).await.unwrap();
    held::count_tables(context).await.unwrap();
    let text = app.metrics();
    let other = match text.contains("engine=\"sqlite\"") {
        true => "cloakroom_postgresql_",
        false => "cloakroom_sqlite_",
    };
    let mut documented = 0;
    for row in rows {
        let (name, rest) = row.split_once('`').unwrap();
        let kind = rest.split(" | ").nth(1).unwrap();
        documented += 1;
        let is_served = text.contains(&format!("\n# TYPE {name} {kind}\n{name}"));
        assert_eq!(is_served, !name.starts_with(other), "{name}: {text}");
    }
    assert!(documented > 30, "{documented}");
}

#[actix_web::test]
async fn what_the_database_holds_is_counted() {
    let (app, _, _) = signed_in().await;
    let reset = json!({ "email_address": ONE });
    app.post("/v1/passwords").json(&reset).send().await;
    let context = app.context();
    assert!(!app.metrics().contains("cloakroom_sessions_live"));
    context.clock.advance(Duration::from_secs(90));
    held::count_waiting(context).await.unwrap();
    held::count_tables(context).await.unwrap();
    let text = app.metrics();
    assert_eq!(value(&text, "cloakroom_sessions_live"), 1.0);
    assert_eq!(value(&text, "cloakroom_outbox_waiting"), 1.0);
    assert_eq!(value(&text, "cloakroom_outbox_dead"), 0.0);
    assert_eq!(value(&text, "cloakroom_outbox_oldest_age_seconds"), 90.0);
    app.mails().await;
    assert_eq!(
        value(&app.metrics(), r#"cloakroom_mails_total{outcome="sent"}"#),
        1.0
    );
}

#[actix_web::test]
async fn hashes_and_writes_are_counted() {
    let (app, _, _) = signed_in().await;
    let before = app.metrics();
    let sign_in = json!({"email_address": ONE, "password": PASSWORD});
    app.post("/v1/session").json(&sign_in).send().await;
    let after = app.metrics();
    let more = |series: &str| value(&after, series) - value(&before, series);
    assert_eq!(more("cloakroom_hash_queue_wait_seconds_count"), 1.0);
    assert_eq!(value(&after, "cloakroom_hash_queue_length"), 0.0);
    assert_eq!(value(&after, "cloakroom_database_up"), 1.0);
    let writes = more("cloakroom_sqlite_commit_writes_sum");
    let waits = more("cloakroom_postgresql_queue_wait_seconds_count");
    assert!(writes > 0.0 || waits > 0.0, "{after}");
}

#[actix_web::test]
async fn calls_to_providers_are_counted() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let replied = |text: &str| {
        let lines = text.lines().filter(|line| {
            line.starts_with("cloakroom_outbound_requests_total{")
                && line.contains("outcome=\"replied\"")
        });
        lines
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
            .sum::<f64>()
    };
    assert_eq!(replied(&app.metrics()), 0.0);
    let signed_in = Browser::default().sign_in(&app, &provider).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    assert!(replied(&app.metrics()) >= 1.0, "{}", app.metrics());
}

#[actix_web::test]
async fn sign_ins_and_their_failures_are_counted() {
    let (app, _, _) = signed_in().await;
    let count = |event: &str| {
        let series = format!("cloakroom_security_events_total{{event=\"{event}\"}}");
        value(&app.metrics(), &series)
    };
    assert_eq!((count("signed_in"), count("sign_in_failed")), (0.0, 0.0));
    for password in [PASSWORD, "wrong password", "wrong password"] {
        let sign_in = json!({"email_address": ONE, "password": password});
        app.post("/v1/session").json(&sign_in).send().await;
    }
    assert_eq!((count("signed_in"), count("sign_in_failed")), (1.0, 2.0));
}
