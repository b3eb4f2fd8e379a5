//! What a browser must not be made to do by a page of another site, on this machine or with a token that it holds: the
//! Host must be ours (against DNS rebinding), and so must the Origin when there is one, or it must have been named.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::app::{App, AppOptions};
use super::cors;
use super::problem::Problem;

/// Lets a request through that was meant for us.
///
/// # Errors
/// 403 for another, or no, Host; 403 for the Origin of another site.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Result<Response, Problem> {
    let host = check_host(app.options(), request.headers(), request.uri().authority())?;
    if cors::is_named(app.options(), request.headers(), request.uri().path()) {
        return Ok(if cors::is_preflight(&request) { cors::preflight() } else { next.run(request).await });
    }
    check_origin(app.options(), request.headers(), &host)?;
    Ok(next.run(request).await)
}

/// Refuses what a browser says comes from another site, a link included, unless its origin was named.
///
/// # Errors
/// 403.
pub fn check_site(options: &AppOptions, headers: &HeaderMap, path: &str) -> Result<(), Problem> {
    match headers.get("sec-fetch-site") {
        Some(site) if site.as_bytes() == b"cross-site" && !cors::is_named(options, headers, path) => {
            Err(other_site())
        }
        _ => Ok(()),
    }
}

fn check_host(
    options: &AppOptions,
    headers: &HeaderMap,
    authority: Option<&Authority>,
) -> Result<String, Problem> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next());
    let host = first.unwrap_or_default();
    let elsewhere = authority.is_some_and(|authority| authority.as_str() != host);
    if second.is_none() && !elsewhere && (is_ours(options, host) || is_allowed(options, host)) {
        return Ok(host.to_ascii_lowercase());
    }
    let message =
        "this Host is not served: use the address that the server printed, or start it with --allowed-host";
    let expected = format!("localhost:{}", options.listen.port());
    let problem = Problem::http(StatusCode::FORBIDDEN, "forbidden_host", message);
    Err(problem.facts(expected, kithdb::base::ids::shorten(host)))
}

/// Name and port of a Host.
fn parts(host: &str) -> (&str, Option<u16>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, Some(80)),
    }
}

fn is_ours(options: &AppOptions, host: &str) -> bool {
    let listen = options.listen;
    let (name, port) = parts(host);
    if ["localhost", "127.0.0.1", "[::1]"].iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
        // Where all addresses are listened on there may be another port in front, as that of a container is.
        return port.is_some() && (port == Some(listen.port()) || listen.ip().is_unspecified());
    }
    let address: Option<IpAddr> = name.trim_start_matches('[').trim_end_matches(']').parse().ok();
    match address {
        // A page can have a name of its own point here, but not an address.
        Some(address) if listen.ip().is_unspecified() => port.is_some() && !address.is_unspecified(),
        Some(address) => address == listen.ip() && port == Some(listen.port()),
        None => false,
    }
}

fn is_allowed(options: &AppOptions, host: &str) -> bool {
    let name = parts(host).0;
    let mut allowed = options.allowed_hosts.iter();
    allowed.any(|allowed| allowed.eq_ignore_ascii_case(host) || allowed.eq_ignore_ascii_case(name))
}

fn check_origin(options: &AppOptions, headers: &HeaderMap, host: &str) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let is = |scheme: &str| origin.strip_prefix(scheme).is_some_and(|from| from.eq_ignore_ascii_case(host));
    // Only what stands in front of us, under a name that we were told, speaks TLS.
    if is("http://") || is_allowed(options, host) && is("https://") {
        return Ok(());
    }
    Err(other_site().facts(format!("http://{host}"), kithdb::base::ids::shorten(origin)))
}

fn other_site() -> Problem {
    let message =
        "pages of other sites may not use this server, unless it is started with their --cors-origin";
    Problem::http(StatusCode::FORBIDDEN, "forbidden_origin", message)
}
