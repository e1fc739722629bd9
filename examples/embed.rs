//! Embeds Cloakroom in your own actix-web app: `cargo run --example embed`.

use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer, Responder};
use cloakroom::config::{Settings, Sources};
use cloakroom::{Cloakroom, CurrentUser};

/// The `CurrentUser` argument protects the handler: requests without a valid session get 401 before it runs.
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
            .wrap(cloakroom.middleware())
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
    async fn hello_requires_a_session() {
        let app = TestApp::with(routes).await;
        let user = app.create_user("one@example.com", "password").await;
        let token = app.sign_in_as(&user).await;

        assert_eq!(app.get("/hello").send().await.status, 401);
        let greeted = app.get("/hello").bearer(&token).send().await;
        assert_eq!(greeted.text(), "Hello, one@example.com");
    }
}
