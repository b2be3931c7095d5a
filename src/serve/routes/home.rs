//! `/`: one page that says where things are. No script; its one style sheet is compiled in.

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;

use super::get;

const PAGE: &str = include_str!("home.html");
const STYLE: &str = include_str!("home.css");

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get("/", page)).service(get("/home.css", style));
}

async fn page() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(PAGE)
}

async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(STYLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_nothing_from_elsewhere_and_no_script() {
        for forbidden in ["<script", "http://", "https://", "style=", "onclick"] {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
    }
}
