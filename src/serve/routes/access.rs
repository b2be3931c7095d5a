//! `access/*` of the monitoring API: who am I, signing in and out, accounts, keys. What is allowed is
//! `access`'s; who may ask is the table's in `doors`.

use std::future::ready;

use actix_web::cookie::time::Duration as CookieAge;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::web::{self, Data, Path, PayloadConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access::{AccessError, Accounts, Caller, Key, NewKey, Role, Scope, User, UserChange};
use crate::clock::parse_duration;
use crate::serve::asking::Asking;
use crate::serve::caller::{COOKIE, Who, session_token};
use crate::serve::error::Fault;
use crate::serve::extract::{JsonBytes, parse_json};
use crate::serve::limits;
use crate::serve::measure::Watch;
use crate::serve::openapi::shapes;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(who, sign_in, sign_out, list_users, add_user, change_user, remove_user, list_keys, create_key, revoke_key))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    let session = taking("/api/v1/monitoring/access/session", "GET, HEAD, POST, DELETE").route(web::delete().to(sign_out));
    let users = taking("/api/v1/monitoring/access/users", "GET, HEAD, POST").route(web::post().to(add_user));
    let keys = taking("/api/v1/monitoring/access/keys", "GET, HEAD, POST").route(web::post().to(create_key));
    config
        .service(
            session.app_data(PayloadConfig::new(limits::SIGN_IN_BYTES)).route(web::get().to(who)).route(web::head().to(who)).route(web::post().to(sign_in)),
        )
        .service(users.route(web::get().to(list_users)).route(web::head().to(list_users)))
        .service(taking("/api/v1/monitoring/access/users/{name}", "PUT, DELETE").route(web::put().to(change_user)).route(web::delete().to(remove_user)))
        .service(keys.route(web::get().to(list_keys)).route(web::head().to(list_keys)))
        .service(taking("/api/v1/monitoring/access/keys/{id}", "DELETE").route(web::delete().to(revoke_key)));
}

/// A resource that takes these methods and says so to others.
fn taking(path: &str, allow: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move || ready(Err::<HttpResponse, Fault>(Fault::wrong_method(allow)))))
}

/// Who asks, as the page shows it.
#[derive(Debug, Serialize)]
struct ShownCaller<'a> {
    /// `null` for a stranger.
    name: Option<&'a str>,
    role: Option<Role>,
    scope: Scope,
    /// Whether there are accounts to sign in with.
    accounts: bool,
}

impl<'a> ShownCaller<'a> {
    fn of(caller: &'a Caller, accounts: bool) -> Self {
        Self { name: caller.role.map(|_| caller.name.as_str()), role: caller.role, scope: caller.scope, accounts }
    }
}

/// Who asks.
#[utoipa::path(
    get, path = "/api/v1/monitoring/access/session",
    responses((status = 200, description = "Name and role; null for a stranger.", body = shapes::CallerAnswer))
)]
async fn who(Who(caller): Who, accounts: Data<Accounts>) -> HttpResponse {
    HttpResponse::Ok().json(ShownCaller::of(&caller, !accounts.is_local()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    name: String,
    password: String,
}

/// Signs in.
#[utoipa::path(
    post, path = "/api/v1/monitoring/access/session",
    request_body = shapes::SignInBody,
    responses(
        (status = 200, description = "Signed in: the answer sets the cookie.", body = shapes::CallerAnswer),
        (status = 409, description = "There are no accounts.")
    )
)]
async fn sign_in(body: JsonBytes, request: HttpRequest, watch: Data<Watch>, accounts: Data<Accounts>) -> Result<HttpResponse, Fault> {
    let SignIn { name, password } = parse_json(&body.0)?;
    let address = watch.doorkeeper.address(request.headers(), request.peer_addr());
    let signed = watch.doorkeeper.pool.run(move || accounts.sign_in(&name, &password, address)).await??;
    let mut cookie = cookie(&request, watch.doorkeeper.behind_proxy, signed.token);
    cookie.set_max_age(CookieAge::try_from(signed.lasts).ok());
    Ok(HttpResponse::Ok().cookie(cookie).json(ShownCaller::of(&signed.caller, true)))
}

/// Signs out.
#[utoipa::path(
    delete, path = "/api/v1/monitoring/access/session",
    responses((status = 200, description = "Signed out.", body = shapes::CallerAnswer))
)]
async fn sign_out(request: HttpRequest, asking: Data<Asking>, watch: Data<Watch>, accounts: Data<Accounts>) -> Result<HttpResponse, Fault> {
    if let Some(token) = session_token(request.headers()) {
        let accounts = accounts.clone();
        asking.run(move || accounts.sign_out(&token)).await??;
    }
    let mut gone = cookie(&request, watch.doorkeeper.behind_proxy, String::new());
    gone.make_removal();
    Ok(HttpResponse::Ok().cookie(gone).json(ShownCaller::of(&Caller::stranger(), !accounts.is_local())))
}

/// The cookie of a session: not for scripts, not for other pages, and not over plain HTTP where the
/// browser came by TLS.
fn cookie(request: &HttpRequest, behind_proxy: bool, token: String) -> Cookie<'static> {
    let says = |name: &str, word: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).is_some_and(|text| text.starts_with(word));
    let by_proxy = behind_proxy && (says("x-forwarded-proto", "https") || says(header::ORIGIN.as_str(), "https://"));
    Cookie::build(COOKIE, token).path("/").http_only(true).same_site(SameSite::Strict).secure(request.app_config().secure() || by_proxy).finish()
}

#[derive(Debug, Serialize)]
struct ShownUser {
    name: String,
    role: Role,
    created_at: i64,
}

impl From<User> for ShownUser {
    fn from(user: User) -> Self {
        Self { name: user.name, role: user.role, created_at: user.created.0 }
    }
}

/// Every account.
#[utoipa::path(get, path = "/api/v1/monitoring/access/users", responses((status = 200, description = "By name.", body = shapes::UserList)))]
async fn list_users(accounts: Data<Accounts>) -> HttpResponse {
    let users: Vec<ShownUser> = accounts.users().into_iter().map(ShownUser::from).collect();
    HttpResponse::Ok().json(json!({"users": users}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddUser {
    name: String,
    role: String,
    password: String,
}

/// Makes an account.
#[utoipa::path(
    post, path = "/api/v1/monitoring/access/users",
    request_body = shapes::NewUserBody,
    responses(
        (status = 201, description = "Made.", body = shapes::UserAnswer),
        (status = 409, description = "The name is taken, or there are too many.")
    )
)]
async fn add_user(body: JsonBytes, asking: Data<Asking>, accounts: Data<Accounts>) -> Result<HttpResponse, Fault> {
    let new: AddUser = parse_json(&body.0)?;
    let role = role(&new.role)?;
    let user = asking.run(move || accounts.add_user(&new.name, role, &new.password)).await??;
    Ok(HttpResponse::Created().json(ShownUser::from(user)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeUser {
    role: Option<String>,
    password: Option<String>,
}

/// Changes role or password.
#[utoipa::path(
    put, path = "/api/v1/monitoring/access/users/{name}",
    params(("name" = String, Path, description = "The account.")),
    request_body = shapes::UserChangeBody,
    responses(
        (status = 200, description = "Changed.", body = shapes::UserAnswer),
        (status = 404, description = "There is no such account."),
        (status = 409, description = "It is the last administrator.")
    )
)]
async fn change_user(name: Path<String>, body: JsonBytes, asking: Data<Asking>, accounts: Data<Accounts>) -> Result<HttpResponse, Fault> {
    let change: ChangeUser = parse_json(&body.0)?;
    let change = UserChange { role: change.role.as_deref().map(role).transpose()?, password: change.password };
    let user = asking.run(move || accounts.change_user(&name, change)).await??;
    Ok(HttpResponse::Ok().json(ShownUser::from(user)))
}

/// Removes an account.
#[utoipa::path(
    delete, path = "/api/v1/monitoring/access/users/{name}",
    params(("name" = String, Path, description = "The account.")),
    responses(
        (status = 200, description = "Gone; whether there are others.", body = shapes::AnyObject),
        (status = 404, description = "There is no such account."),
        (status = 409, description = "It is the last administrator.")
    )
)]
async fn remove_user(name: Path<String>, asking: Data<Asking>, accounts: Data<Accounts>) -> Result<HttpResponse, Fault> {
    let others = asking.run(move || accounts.remove_user(&name)).await??;
    Ok(HttpResponse::Ok().json(json!({"accounts": others})))
}

#[derive(Debug, Serialize)]
struct ShownKey {
    id: String,
    name: String,
    role: Role,
    scope: Scope,
    created_at: i64,
    expires_at: Option<i64>,
    /// The key itself, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl From<Key> for ShownKey {
    fn from(key: Key) -> Self {
        let (created_at, expires_at) = (key.created.0, key.expires.map(|expires| expires.0));
        Self { id: key.id, name: key.name, role: key.role, scope: key.scope, created_at, expires_at, key: None }
    }
}

/// Every key.
#[utoipa::path(
    get, path = "/api/v1/monitoring/access/keys",
    responses((status = 200, description = "Without the keys themselves.", body = shapes::KeyList))
)]
async fn list_keys(accounts: Data<Accounts>) -> HttpResponse {
    let keys: Vec<ShownKey> = accounts.keys().into_iter().map(ShownKey::from).collect();
    HttpResponse::Ok().json(json!({"keys": keys}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateKey {
    name: Option<String>,
    role: String,
    scope: Option<String>,
    /// Such as `30d`.
    expires: Option<String>,
}

/// Makes a key.
#[utoipa::path(
    post, path = "/api/v1/monitoring/access/keys",
    request_body = shapes::NewKeyBody,
    responses(
        (status = 201, description = "Made; `key` is shown this once.", body = shapes::KeyAnswer),
        (status = 409, description = "There are no accounts, or too many keys.")
    )
)]
async fn create_key(body: JsonBytes, asking: Data<Asking>, accounts: Data<Accounts>) -> Result<HttpResponse, Fault> {
    let new: CreateKey = parse_json(&body.0)?;
    let expires = new.expires.as_deref().map(parse_duration).transpose().map_err(|e| Fault::field("expires", e.to_string()))?;
    let new = NewKey { name: new.name, role: role(&new.role)?, scope: scope(new.scope.as_deref())?, expires };
    let (key, secret) = asking.run(move || accounts.create_key(new)).await??;
    Ok(HttpResponse::Created().json(ShownKey { key: Some(secret), ..key.into() }))
}

/// Revokes a key.
#[utoipa::path(
    delete, path = "/api/v1/monitoring/access/keys/{id}",
    params(("id" = String, Path, description = "The key.")),
    responses((status = 200, description = "Revoked.", body = shapes::AnyObject), (status = 404, description = "There is no such key."))
)]
async fn revoke_key(id: Path<String>, asking: Data<Asking>, accounts: Data<Accounts>) -> Result<HttpResponse, Fault> {
    asking.run(move || accounts.revoke_key(&id)).await??;
    Ok(HttpResponse::Ok().json(json!({})))
}

fn role(name: &str) -> Result<Role, AccessError> {
    Role::parse(name).ok_or_else(|| AccessError::unknown_role(name))
}

/// Reading, unless writing is asked for.
fn scope(name: Option<&str>) -> Result<Scope, AccessError> {
    name.map_or(Ok(Scope::Read), |name| Scope::parse(name).ok_or_else(|| AccessError::unknown_scope(name)))
}
