//! `latido health`: the state of each part of a running daemon.

use serde_json::Value as Json;

use super::args::HealthArgs;
use super::control;
use super::exit::CliError;
use super::http::Endpoint;

pub(super) fn run(args: &HealthArgs) -> Result<(), CliError> {
    let daemon = control::by_url(&args.url, args.key_file.as_deref())?;
    let answer = daemon.get("/api/v1/monitoring/metrics/health").map_err(CliError::Remote)?;
    if answer.status == 401 {
        return without_key(&daemon);
    }
    let body: Json = serde_json::from_slice(&answer.body).map_err(|_| CliError::Remote(format!("{} answered {} without a state", args.url, answer.status)))?;
    let Some(status) = body.get("status").and_then(Json::as_str) else {
        return Err(CliError::Remote(format!("{} answered {}: {body}", args.url, answer.status)));
    };
    super::say(&show(status, &body));
    if status == "unhealthy" { Err(CliError::Remote("the daemon is unhealthy".to_owned())) } else { Ok(()) }
}

/// A supervisor needs no key to learn whether the daemon answers; the parts are for those who have one.
fn without_key(daemon: &Endpoint) -> Result<(), CliError> {
    let answer = daemon.get("/-/ready").map_err(CliError::Remote)?;
    if answer.status != 200 {
        return Err(CliError::Remote(format!("{daemon} is not ready: it answered {}", answer.status)));
    }
    super::say("ready (its parts are shown to those with a key: LATIDO_KEY or --key-file)");
    Ok(())
}

fn show(status: &str, body: &Json) -> String {
    let mut lines = vec![status.to_owned()];
    for (name, part) in body.get("components").and_then(Json::as_object).into_iter().flatten() {
        let text = |key: &str| part.get(key).and_then(Json::as_str);
        lines.push(format!("  {name:12} {:10} {}", text("status").unwrap_or("?"), text("message").unwrap_or_default()).trim_end().to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_stands_on_its_line_with_its_reason() {
        let body = serde_json::json!({"status": "degraded", "components": {"store": {"status": "healthy"}, "disk": {"status": "degraded", "message": "full"}}});
        let text = show("degraded", &body);
        assert!(text.starts_with("degraded\n"));
        assert!(text.contains("  store        healthy") && text.contains("  disk         degraded   full"), "{text}");
    }
}
