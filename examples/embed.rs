//! An actix-web app of your own with Cloakroom in it: `cargo run --example embed`.

use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer, Responder};
use cloakroom::config::{Settings, Sources};
use cloakroom::{Cloakroom, CurrentUser};

/// Taking a `CurrentUser` is the protection: without a live session the answer is 401, and this does not run.
async fn hello(user: CurrentUser) -> impl Responder {
    format!("Hello, {}", user.email_address.as_str())
}

fn routes(config: &mut ServiceConfig) {
    config.route("/hello", web::get().to(hello));
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::load(&Sources::from_process(None)?)?;
    let bind = settings.server.bind.clone();
    let cloakroom = Cloakroom::open(settings)?;
    let background = cloakroom.start_background()?;
    HttpServer::new(move || {
        App::new()
            .wrap(cloakroom.edge())
            .configure(cloakroom.mount())
            .configure(routes)
    })
    .bind(bind)?
    .run()
    .await?;
    background.stop();
    Ok(())
}

#[cfg(test)]
mod tests {
    use cloakroom::testing::TestApp;

    use super::routes;

    #[actix_web::test]
    async fn hello_greets_who_is_signed_in_and_nobody_else() {
        let app = TestApp::with(routes).await;
        let user = app.create_user("one@example.com", "password").await;
        let token = app.sign_in_as(&user).await;

        assert_eq!(app.get("/hello").send().await.status, 401);
        let greeted = app.get("/hello").bearer(&token).send().await;
        assert_eq!(greeted.text(), "Hello, one@example.com");
    }
}
