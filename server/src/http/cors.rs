//! Pages of other origins that may ask (CORS): those that the operator named one by one, for what is under `/v1` and the
//! state of the server. They are told nothing by cookies, so that a token has to be known to be sent; a page that was not
//! named is refused by the guard, and what KektorDB's and ruvector-go's clients ask is for no page of another origin.
//! Source: Fetch standard, "CORS protocol".

use std::str::FromStr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use kithdb::base::ids::shorten;

use super::app::{App, AppOptions};

/// What is shared beside `/v1/`.
const SHARED: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/openapi.json"];
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// What clients of `/v1` send beyond what any page may.
const SENT: &str = "accept, authorization, content-encoding, content-type, idempotency-key, if-match, if-none-match, \
     last-event-id, x-request-id";
/// What they read of an answer's head beyond what any page may.
const READ: &str = "etag, retry-after, www-authenticate, x-request-id";
/// For so many seconds a browser need not ask again whether it may ask.
const KNOWN_SECONDS: &str = "600";

/// Scheme, host and port of a page, as a browser sends them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// As it is sent and written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One that the policy of a page can name: there is no place for IPv6 addresses in it, and browsers pass over them.
    ///
    /// # Errors
    /// What was expected, for another one.
    pub fn in_policy(text: &str) -> Result<Self, String> {
        let origin: Self = text.parse()?;
        if origin.0.contains('[') {
            let expected = "a host by its name or IPv4 address, such as localhost: pages cannot be allowed an IPv6 address";
            return Err(format!("expected {expected}; got {}", shorten(text)));
        }
        Ok(origin)
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let got = shorten(text);
            format!("expected one origin, scheme, host and port, such as https://app.example:8080; got {got}")
        };
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong());
        };
        let default = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return Err(wrong()),
        };
        // A part of a name that stands for any is none that a browser sends.
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte);
        let host = authority.as_str();
        let is_whole = text.len() == scheme.len() + "://".len() + host.len();
        if !is_whole || !host.bytes().all(is_name) || host.starts_with(':') || host.ends_with(':') {
            return Err(wrong());
        }
        // Browsers leave the usual port out.
        Ok(Self(format!("{scheme}://{}", host.strip_suffix(default).unwrap_or(host))))
    }
}

/// Whether a page asks for this path whose origin was named.
pub fn is_named(options: &AppOptions, headers: &HeaderMap, path: &str) -> bool {
    is_shared(path) && named(options, headers).is_some()
}

fn is_shared(path: &str) -> bool {
    path.starts_with("/v1/") || SHARED.contains(&path)
}

/// The origin of the page that asks, where it was named.
fn named<'a>(options: &AppOptions, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (origin, None) = (origins.next()?, origins.next()) else { return None };
    let text = origin.to_str().ok()?;
    options.cors_origins.iter().any(|named| named.as_str() == text).then_some(origin)
}

/// Whether a browser asks for a page whether it may ask.
pub fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Says that it may, and how.
pub fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, SENT),
        (header::ACCESS_CONTROL_MAX_AGE, KNOWN_SECONDS),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Lets the page read the answer, whatever it is: what is wrong with a request is told to it, too.
pub async fn share(State(app): State<App>, request: Request, next: Next) -> Response {
    let options = app.options();
    if options.cors_origins.is_empty() || !is_shared(request.uri().path()) {
        return next.run(request).await;
    }
    let origin = named(options, request.headers()).cloned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // Also of what no page asked for: a cache would give it to one.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_no_address_that_browsers_pass_over() {
        assert_eq!(Origin::in_policy("http://127.0.0.1:9091"), "http://127.0.0.1:9091".parse());
        let error = Origin::in_policy("http://[::1]:9091").expect_err("no place for it");
        assert!(error.contains("such as localhost") && error.contains("[::1]"), "{error}");
        assert!(Origin::in_policy("*").is_err());
    }

    #[test]
    fn an_origin_is_named_as_a_browser_sends_it() {
        for (text, sent) in [
            ("https://app.example", "https://app.example"),
            ("HTTPS://App.Example/", "https://app.example"),
            ("https://app.example:443", "https://app.example"),
            ("http://app.example:443", "http://app.example:443"),
            ("http://localhost:80", "http://localhost"),
            ("http://[::1]:5173", "http://[::1]:5173"),
        ] {
            assert_eq!(text.parse(), Ok(Origin(sent.to_owned())), "{text}");
        }
        for text in [
            "*",
            "null",
            "",
            "app.example",
            "https://*.example",
            "https://*",
            "https://",
            "https://:8080",
            "https://app.example:",
            "ftp://app.example",
            "https://me@app.example",
            "https://app.example/path",
            "https://app.example?a",
            "https://app.example//",
            "https://a.example, https://b.example",
            "https://a.example; script-src *",
        ] {
            let error = text.parse::<Origin>().expect_err(text);
            assert!(error.contains("such as https://app.example:8080"), "{error}");
        }
    }
}
