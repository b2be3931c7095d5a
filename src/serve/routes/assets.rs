//! The page: `src/ui`, compiled in, compressed once, under a path that names its content.
//!
//! `/ui/<version>/…` never changes and is kept by browsers for ever; `/ui/…` is asked again each
//! time. Every other path that a browser opens gets `index.html`, whose links are filled in here:
//! the style sheets, and each module, so that the browser asks for all of them at once instead of
//! finding them one by one. Knows nothing of what the files say.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::io::Write;
use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::Embed;

use super::get;
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
/// Modules that a page loads when it is opened, not before.
const LATER: &str = "pages/";
/// The page that is opened first.
const FIRST_PAGE: &str = "pages/dashboard.js";
/// Paths that belong to programs: a browser that opens a wrong one is told so.
const PROGRAMS: [&str; 5] = ["/api/", "/-/", "/metrics", "/federate", "/ui/"];

/// Everything, made once.
static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

/// A file as it is sent.
struct Asset {
    plain: Bytes,
    /// Where it is smaller.
    gzip: Option<Bytes>,
    media_type: &'static str,
    etag: String,
}

struct Assets {
    version: String,
    files: BTreeMap<String, Asset>,
    index: Asset,
}

impl Assets {
    fn load() -> Self {
        let files: BTreeMap<String, Asset> = Files::iter().filter_map(|path| Some((path.to_string(), Asset::of(&path, &Files::get(&path)?.data)))).collect();
        let mut hasher = DefaultHasher::new();
        for (path, asset) in &files {
            hasher.write(path.as_bytes());
            hasher.write(asset.etag.as_bytes());
        }
        let version = format!("{:016x}", hasher.finish());
        let template = files.get("index.html").map(|index| String::from_utf8_lossy(&index.plain).into_owned()).unwrap_or_default();
        let index = fill(&template, &version, files.keys().map(String::as_str));
        Self { index: Asset::of("index.html", index.as_bytes()), version, files }
    }
}

impl Asset {
    fn of(path: &str, data: &[u8]) -> Self {
        let media_type = media_type(path);
        let mut hasher = DefaultHasher::new();
        hasher.write(data);
        // Fonts are compressed already.
        let gzip = if media_type.starts_with("font/") { None } else { compress(data).filter(|small| small.len() < data.len()).map(Bytes::from) };
        Self { plain: Bytes::copy_from_slice(data), gzip, media_type, etag: format!("\"{:016x}\"", hasher.finish()) }
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
        match &self.gzip {
            Some(gzip) if text(header::ACCEPT_ENCODING).contains("gzip") => answer.insert_header((header::CONTENT_ENCODING, "gzip")).body(gzip.clone()),
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

/// The page with its links: all style sheets, and the modules that every page needs.
fn fill<'a>(template: &str, version: &str, files: impl Iterator<Item = &'a str> + Clone) -> String {
    let listed = FIRST_STYLES.into_iter();
    let others = files.clone().filter(|path| path.ends_with(".css") && !FIRST_STYLES.contains(path));
    let styles: String = listed.chain(others).map(|path| format!("<link rel=\"stylesheet\" href=\"/ui/{path}\">\n")).collect();
    let needed =
        files.filter(|path| path.ends_with(".js") && *path != "boot.js" && (!path.starts_with(LATER) || *path == FIRST_PAGE || path.ends_with("/index.js")));
    let modules: String = needed.map(|path| format!("<link rel=\"modulepreload\" href=\"/ui/{path}\">\n")).collect();
    let filled = template.replace("<!-- styles -->\n", &styles).replace("<!-- modules -->\n", &modules);
    filled.replace("=\"/ui/", &format!("=\"/ui/{version}/"))
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
    ASSETS.index.answer(request.headers(), ASK_AGAIN)
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
        assert!(named.contains(&"main.js") && named.contains(&"tokens.css") && named.contains(&FIRST_PAGE), "{named:?}");
        for path in &named {
            assert!(ASSETS.files.contains_key(*path), "{path}");
        }
        for forbidden in ["http://", "https://", "style=\"", "<style", "onclick", "<!-- styles", "<!-- modules"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn the_first_load_stays_under_its_budget() {
        let first = ASSETS.files.iter().filter(|(path, _)| !path.starts_with(LATER) && !path.ends_with(".txt"));
        let bytes: usize = first.map(|(_, asset)| asset.gzip.as_ref().unwrap_or(&asset.plain).len()).sum();
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
