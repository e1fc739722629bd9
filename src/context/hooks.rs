//! What an embedding app adds: rules of its own at sign-up, rows of its own in the same commit, and claims.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::Change;
use crate::domain::error::{Error, Result};
use crate::domain::{Claims, ClientInfo, EmailAddress, User};
use crate::store::{Database, Reader};

type BeforeSignUp = dyn Fn(&Reader<'_>, &SignUp) -> Result<()> + Send + Sync;
type OnSignUp = dyn Fn(&Change<'_>, &SignUp, &User) -> Result<()> + Send + Sync;

type Claim = dyn Fn(&Reader<'_>, &User) -> Result<Value> + Send + Sync;

/// A sign-up whose form is valid.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignUp {
    /// The address of the new account.
    pub email_address: EmailAddress,
    /// Who sent the request.
    pub client: ClientInfo,
}

impl SignUp {
    /// A sign-up with this address by this client.
    pub(crate) fn new(email_address: EmailAddress, client: ClientInfo) -> Self {
        Self {
            email_address,
            client,
        }
    }
}

/// Functions of an embedding app, which run in the order in which they were added. Accounts that an operator creates at
/// the command line do not pass those of a sign-up.
///
/// ```
/// use cloakroom::domain::error::ValidationErrors;
/// use cloakroom::testing::TestApp;
/// use cloakroom::{Hooks, Result};
/// use serde_json::json;
///
/// fn hooks() -> Hooks {
///     Hooks::new()
///         .before_sign_up(|_, sign_up| match sign_up.email_address.as_str().ends_with("@example.com") {
///             true => Ok(()),
///             false => Err(ValidationErrors::field("email_address", "must be at example.com").into()),
///         })
///         .on_sign_up(|change, _, user| {
///             change.execute("INSERT INTO app_profiles (user_id, plan) VALUES ($1, $2)", &[user.id.into(), "free".into()])?;
///             Ok(())
///         })
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<()> {
/// let app = TestApp::builder().hooks(hooks()).build().await;
/// let table = "CREATE TABLE app_profiles (user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE, plan TEXT NOT NULL)";
/// app.context().database.write(move |tx| tx.execute(table, &[])).await?;
/// let sign_up = |address: &str| app.post("/v1/registrations").json(&json!({ "email_address": address, "password": "correct horse battery" }));
///
/// assert_eq!(sign_up("one@elsewhere.example").send().await.status, 422);
/// assert_eq!(sign_up("one@example.com").send().await.status, 201);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Hooks {
    before_sign_up: Vec<Arc<BeforeSignUp>>,
    on_sign_up: Vec<Arc<OnSignUp>>,
    claims: Vec<(&'static str, Arc<Claim>)>,
}

impl Hooks {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs before the password is hashed, for free and taken addresses alike; an error refuses the sign-up and is the
    /// reply. The request has been counted against the limit on sign-ups. The function may read the database, and must
    /// not block otherwise.
    #[must_use]
    pub fn before_sign_up(
        mut self,
        hook: impl Fn(&Reader<'_>, &SignUp) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.before_sign_up.push(Arc::new(hook));
        self
    }

    /// Runs in the transaction that creates the account: what it writes is committed with the account, or not at all. An
    /// error undoes the sign-up and is the reply.
    ///
    /// All other writers wait meanwhile, and the function may run again after a fault: it has no effect but through the
    /// change. It runs for free addresses only, so its errors reveal that an address is free although
    /// `registration.private` hides that: refuse in [`Hooks::before_sign_up`].
    #[must_use]
    pub fn on_sign_up(
        mut self,
        hook: impl Fn(&Change<'_>, &SignUp, &User) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.on_sign_up.push(Arc::new(hook));
        self
    }

    /// Adds a claim, as `tokens.claims` does for members of the metadata: to access tokens with the scope `user:read`, to
    /// `X-User-Claims` of `/v1/verify`, and to introspection. It replaces a member of the same name.
    ///
    /// The function runs when an access token is issued or refreshed, and at each request to `/v1/verify` and
    /// `/v1/introspect` that reports claims; those with the same access token share the result for a second. It may read the
    /// database, and must not block otherwise. Its error is the reply, and so is an internal error when all claims of the
    /// user together exceed [`Claims::MAX_BYTES`]. [`Cloakroom::open_with`](crate::Cloakroom::open_with) refuses names that
    /// [`Claims::is_name`] does not accept.
    ///
    /// ```
    /// use cloakroom::Hooks;
    ///
    /// let hooks = Hooks::new().claim("plan", |reader, user| {
    ///     let sql = "SELECT plan FROM app_profiles WHERE user_id = $1";
    ///     let plan: Option<String> = reader.one(sql, &[user.id.into()], |row| row.next())?;
    ///     Ok(plan.into())
    /// });
    /// ```
    #[must_use]
    pub fn claim(
        mut self,
        name: &'static str,
        hook: impl Fn(&Reader<'_>, &User) -> Result<Value> + Send + Sync + 'static,
    ) -> Self {
        self.claims.push((name, Arc::new(hook)));
        self
    }

    /// Checks the names of claims.
    ///
    /// # Errors
    /// [`Error::Internal`] for a name that no claim may have.
    pub(crate) fn check(&self) -> Result<()> {
        match self.claims.iter().find(|(name, _)| !Claims::is_name(name)) {
            Some((name, _)) => Err(Error::internal(format!("no claim can be named {name:?}"))),
            None => Ok(()),
        }
    }

    /// Whether there are functions for claims.
    pub(crate) fn have_claims(&self) -> bool {
        !self.claims.is_empty()
    }

    /// Sets the claims of each function.
    ///
    /// # Errors
    /// The first of a function.
    pub(crate) async fn add_claims(
        &self,
        database: &Database,
        user: &User,
        claims: &mut Claims,
    ) -> Result<()> {
        if self.claims.is_empty() {
            return Ok(());
        }
        let (hooks, user) = (self.claims.clone(), user.clone());
        let values = database.read(move |reader| {
            let value =
                |(name, hook): &(&'static str, Arc<Claim>)| Ok((*name, hook(reader, &user)?));
            hooks.iter().map(value).collect::<Result<Vec<_>>>()
        });
        for (name, value) in values.await? {
            claims.set(name, value);
        }
        Ok(())
    }

    /// Asks each function whether the sign-up is admitted.
    ///
    /// # Errors
    /// The first refusal.
    pub(crate) async fn check_sign_up(&self, database: &Database, sign_up: &SignUp) -> Result<()> {
        if self.before_sign_up.is_empty() {
            return Ok(());
        }
        let (hooks, sign_up) = (self.before_sign_up.clone(), sign_up.clone());
        let check =
            move |reader: &Reader<'_>| hooks.iter().try_for_each(|hook| hook(reader, &sign_up));
        database.read(check).await
    }

    /// Lets each function write with the change that created `user`.
    ///
    /// # Errors
    /// The first refusal, which undoes the change.
    pub(crate) fn signed_up(
        &self,
        change: &Change<'_>,
        sign_up: &SignUp,
        user: &User,
    ) -> Result<()> {
        self.on_sign_up
            .iter()
            .try_for_each(|hook| hook(change, sign_up, user))
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("before_sign_up", &self.before_sign_up.len())
            .field("on_sign_up", &self.on_sign_up.len())
            .field("claims", &self.claims.len())
            .finish()
    }
}
