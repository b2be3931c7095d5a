//! The page: `src/ui`, compiled in, compressed when first asked for, under a path that names its content.
//!
//! `/ui/<version>/…` never changes and is kept by browsers for ever; `/ui/…` is asked again each
//! time. Every other path that a browser opens gets `index.html`, whose links are filled in here.
//! The modules are glued into two scripts and the style sheets into one: a browser asks for six
//! files at a time, and there are eighty. Knows nothing of what the files say.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::io::Write;
use std::sync::{LazyLock, OnceLock};

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::Embed;

use super::get;
use crate::access::Accounts;
use crate::serve::bundle::{Bundle, bundle};
use crate::serve::error::Fault;
use crate::serve::openapi::shapes;

/// The files, compiled into release builds; a debug build reads them where they lie.
#[derive(Embed)]
#[folder = "src/ui"]
struct Files;

/// What is asked for by its version cannot change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Kept, but asked about each time.
const ASK_AGAIN: &str = "no-cache";
/// Style sheets in the order in which they apply; what is not listed follows by name.
const FIRST_STYLES: [&str; 2] = ["tokens.css", "app.css"];
/// What runs, and the page that is opened first: with all they need they are the first script.
const ROOTS: [&str; 2] = ["main.js", "pages/dashboard.js"];
/// The glued files.
const STYLE: &str = "style.css";
const FIRST: &str = "first.js";
const LATER: &str = "later.js";
/// Paths that belong to programs: a browser that opens a wrong one is told so.
const PROGRAMS: [&str; 5] = ["/api/", "/-/", "/metrics", "/federate", "/ui/"];

/// Everything, made once.
static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

/// A file as it is sent.
struct Asset {
    /// In a release build a file's own is not on the heap.
    plain: Bytes,
    /// Where it is smaller.
    gzip: OnceLock<Option<Bytes>>,
    media_type: &'static str,
    etag: String,
}

struct Assets {
    version: String,
    files: BTreeMap<String, Asset>,
    index: Asset,
    /// The same where there are no accounts: the page then need not ask first who is there.
    open_index: Asset,
}

impl Assets {
    fn load() -> Self {
        let mut texts = BTreeMap::new();
        let mut hasher = DefaultHasher::new();
        for path in Files::iter() {
            let Some(file) = Files::get(&path) else { continue };
            hasher.write(path.as_bytes());
            hasher.write(&file.metadata.sha256_hash());
            let data = match file.data {
                Cow::Borrowed(compiled) => Bytes::from_static(compiled),
                Cow::Owned(read) => read.into(),
            };
            texts.insert(path.into_owned(), data);
        }
        let glued = glue(&texts);
        // The glue itself may be another than in the last release.
        glued.values().for_each(|data| hasher.write(data));
        let version = format!("{:016x}", hasher.finish());
        let index = fill(&text_of(&texts, "index.html"), &version, glued.contains_key(FIRST));
        let files = texts.into_iter().chain(glued).map(|(path, data)| (path.clone(), Asset::of(&path, &version, data))).collect();
        let open = index.replacen("<html ", "<html data-accounts=\"none\" ", 1);
        let open_index = Asset::of("index.html", &format!("{version}-open"), open.into());
        Self { index: Asset::of("index.html", &version, index.into()), open_index, version, files }
    }
}

/// Makes what the first visitor needs, so that it need not wait.
pub(in crate::serve) fn make() {
    let linked = ["boot.js", STYLE, FIRST].into_iter().filter_map(|path| ASSETS.files.get(path));
    for asset in linked.chain([&ASSETS.index, &ASSETS.open_index]) {
        asset.gzip();
    }
}

fn text_of(files: &BTreeMap<String, Bytes>, path: &str) -> String {
    files.get(path).map(|data| String::from_utf8_lossy(data).into_owned()).unwrap_or_default()
}

/// One style sheet and two scripts of many.
fn glue(files: &BTreeMap<String, Bytes>) -> BTreeMap<String, Bytes> {
    let ends_in = |end: &'static str| files.keys().map(String::as_str).filter(move |path| path.ends_with(end));
    let others = ends_in(".css").filter(|path| !FIRST_STYLES.contains(path));
    let style: String = FIRST_STYLES.into_iter().chain(others).map(|path| text_of(files, path)).collect();
    let mut glued = BTreeMap::from([(STYLE.to_owned(), Bytes::from(style))]);
    let texts: Vec<(&str, String)> = ends_in(".js").filter(|path| *path != "boot.js").map(|path| (path, text_of(files, path))).collect();
    match bundle(&texts.iter().map(|(path, text)| (*path, text.as_str())).collect(), &ROOTS) {
        Ok(Bundle { first, later }) => glued.extend([(FIRST.to_owned(), first.into()), (LATER.to_owned(), later.into())]),
        Err(reason) => tracing::warn!("the page's modules are sent one by one: {reason}"),
    }
    glued
}

impl Asset {
    /// Its tag is that of all files of the version: none changes alone.
    fn of(path: &str, version: &str, plain: Bytes) -> Self {
        Self { plain, gzip: OnceLock::new(), media_type: media_type(path), etag: format!("\"{version}\"") }
    }

    fn gzip(&self) -> Option<&Bytes> {
        let make = || compress(&self.plain).filter(|small| small.len() < self.plain.len()).map(Bytes::from);
        // Fonts are compressed already.
        if self.media_type.starts_with("font/") { None } else { self.gzip.get_or_init(make).as_ref() }
    }

    /// The answer, or "not changed" to a browser that has it.
    fn answer(&self, asked: &HeaderMap, keep: &'static str) -> HttpResponse {
        let text = |name| asked.get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
        let mut answer = if text(header::IF_NONE_MATCH).contains(&self.etag) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        answer.insert_header((header::ETAG, self.etag.as_str())).insert_header((header::CACHE_CONTROL, keep)).insert_header((header::VARY, "accept-encoding"));
        if text(header::IF_NONE_MATCH).contains(&self.etag) {
            return answer.finish();
        }
        answer.content_type(self.media_type);
        match text(header::ACCEPT_ENCODING).contains("gzip").then(|| self.gzip()).flatten() {
            Some(gzip) => answer.insert_header((header::CONTENT_ENCODING, "gzip")).body(gzip.clone()),
            // Named, so that nobody compresses it again.
            _ => answer.insert_header((header::CONTENT_ENCODING, "identity")).body(self.plain.clone()),
        }
    }
}

/// None where it cannot be: it is then sent as it is.
fn compress(data: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).ok()?;
    encoder.finish().ok()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => "text/plain; charset=utf-8",
    }
}

/// The page with its links: those of the glued files, under the version.
fn fill(template: &str, version: &str, is_glued: bool) -> String {
    let script = if is_glued { template.replace("main.js", FIRST) } else { template.to_owned() };
    let styled = script.replace("tokens.css", STYLE);
    styled.replace("=\"/ui/", &format!("=\"/ui/{version}/"))
}

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(page, file))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get("/", page)).service(get("/ui/{path:.*}", file));
}

/// The page.
#[utoipa::path(
    get, path = "/",
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 304, description = "The browser has it.")
    )
)]
async fn page(request: HttpRequest) -> HttpResponse {
    let local = request.app_data::<Data<Accounts>>().is_some_and(|accounts| accounts.is_local());
    let index = if local { &ASSETS.open_index } else { &ASSETS.index };
    index.answer(request.headers(), ASK_AGAIN)
}

/// A file of the page.
#[utoipa::path(
    get, path = "/ui/{path}",
    params(("path" = String, Path, description = "Of a file of the page.", example = json!("main.js"))),
    responses(
        (status = 200, description = "A file.", content((String = "text/css"), (String = "text/javascript"), (String = "text/html"), (String = "text/plain"), (String = "image/svg+xml"), (String = "application/manifest+json"), (shapes::Bytes = "font/woff2"))),
        (status = 304, description = "The browser has it."),
        (status = 404, description = "There is no such file.")
    )
)]
async fn file(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, Fault> {
    let path = path.into_inner();
    let versioned = path.strip_prefix(&ASSETS.version).and_then(|rest| rest.strip_prefix('/'));
    let keep = if versioned.is_some() { FOR_EVER } else { ASK_AGAIN };
    match ASSETS.files.get(versioned.unwrap_or(&path)) {
        Some(asset) => Ok(asset.answer(request.headers(), keep)),
        None => Err(super::nothing_at(&request)),
    }
}

/// What no route takes: a browser that opens a path of the page gets the page, all else an error.
pub(super) async fn unknown(request: HttpRequest) -> Result<HttpResponse, Fault> {
    let accepts = request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
    let opened = matches!(*request.method(), Method::GET | Method::HEAD) && accepts.contains("text/html");
    if opened && !PROGRAMS.iter().any(|start| request.path().starts_with(start)) {
        return Ok(page(request).await);
    }
    Err(super::nothing_at(&request))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::App;
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};

    #[test]
    fn the_page_names_only_files_that_are_there_and_nothing_from_elsewhere() {
        let page = String::from_utf8_lossy(&ASSETS.index.plain).into_owned();
        let start = format!("=\"/ui/{}/", ASSETS.version);
        let named: Vec<&str> = page.split(&start).skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!([FIRST, STYLE, "boot.js"].iter().all(|path| named.contains(path)), "{named:?}");
        for path in &named {
            assert!(ASSETS.files.contains_key(*path), "{path}");
        }
        for forbidden in ["http://", "https://", "style=\"", "<style", "onclick"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn the_first_load_stays_under_its_budget() {
        let first = ["index.html", "boot.js", STYLE, FIRST, "fonts/inter.woff2", "fonts/jetbrains-mono.woff2", "icon.svg"];
        let sent = |path: &str| ASSETS.files[path].gzip().unwrap_or(&ASSETS.files[path].plain).len();
        let bytes: usize = first.into_iter().map(sent).sum();
        assert!((50_000..250_000).contains(&bytes), "{bytes} bytes");
    }

    async fn asked(path: &str, headers: &[(&str, &str)]) -> (StatusCode, String, String, usize) {
        let app = init_service(App::new().configure(routes).default_service(actix_web::web::to(unknown))).await;
        let mut request = TestRequest::with_uri(path);
        for &header in headers {
            request = request.insert_header(header);
        }
        let response = call_service(&app, request.to_request()).await;
        let header = |name: &str| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        let (status, media, keep) = (response.status(), header("content-type"), header("cache-control"));
        (status, media, keep, read_body(response).await.len())
    }

    #[actix_web::test]
    async fn files_are_kept_for_ever_by_their_version_and_asked_again_without() {
        let (status, media, keep, _) = asked(&format!("/ui/{}/main.js", ASSETS.version), &[]).await;
        assert_eq!((status, media.as_str(), keep.as_str()), (StatusCode::OK, "text/javascript; charset=utf-8", FOR_EVER));
        let (status, _, keep, _) = asked("/ui/main.js", &[]).await;
        assert_eq!((status, keep.as_str()), (StatusCode::OK, ASK_AGAIN));
        let (status, _, _, len) = asked("/ui/main.js", &[("if-none-match", &ASSETS.files["main.js"].etag)]).await;
        assert_eq!((status, len), (StatusCode::NOT_MODIFIED, 0));
        for missing in ["/ui/0123456789abcdef/main.js", "/ui/../Cargo.toml", "/ui/%2e%2e/Cargo.toml", "/ui/"] {
            assert_eq!(asked(missing, &[("accept", "text/html")]).await.0, StatusCode::NOT_FOUND, "{missing}");
        }
    }

    #[actix_web::test]
    async fn a_browser_gets_the_page_at_every_path_but_those_of_programs() {
        let html = ("accept", "text/html,application/xhtml+xml");
        for path in ["/", "/d/operations", "/explore?expr=up", "/nothing/at/all"] {
            let (status, media, keep, _) = asked(path, &[html]).await;
            assert_eq!((status, media.as_str(), keep.as_str()), (StatusCode::OK, "text/html; charset=utf-8", ASK_AGAIN), "{path}");
        }
        assert_eq!(asked("/nothing", &[("accept", "*/*")]).await.0, StatusCode::NOT_FOUND);
        assert_eq!(asked("/api/v1/nothing", &[html]).await.0, StatusCode::NOT_FOUND);
    }
}
