//! The token that may do everything: read once, kept as a digest, never shown. It is no argument, because arguments
//! are seen by everybody on the machine.

use std::path::Path;

use crate::http::{TOKEN_CHARS_MIN, TokenDigest};

/// The variables that have it: ours, and KektorDB's.
const VARIABLES: [&str; 2] = ["KITH_TOKEN", "KEKTOR_TOKEN"];

/// The digest of the token in this file, else of that in `KITH_TOKEN` or `KEKTOR_TOKEN`.
///
/// # Errors
/// A line that says what is wrong with it, without it.
pub fn read_token(file: Option<&Path>) -> Result<Option<TokenDigest>, String> {
    if let Some(file) = file {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
        let token = from_file(file, credentials.as_deref().map(Path::new))?;
        return digest(token.trim(), &file.display().to_string()).map(Some);
    }
    let set = VARIABLES.into_iter().find_map(|name| std::env::var_os(name).map(|token| (name, token)));
    let Some((name, token)) = set else { return Ok(None) };
    let token = token.into_string().map_err(|_| format!("{name} is not text"))?;
    digest(token.trim(), name).map(Some)
}

fn from_file(file: &Path, credentials: Option<&Path>) -> Result<String, String> {
    check_owner_only(file, credentials)?;
    std::fs::read_to_string(file).map_err(|e| format!("cannot read the token in {}: {e}", file.display()))
}

/// Refuses a file that others may read. Of the files that systemd hands to a service, in a directory that is the service's
/// alone, it makes root the owner and lets the service's user read them by an access list: the mask of that list stands
/// where the group's rights would, so that they look as if a group could read them.
#[cfg(unix)]
fn check_owner_only(file: &Path, credentials: Option<&Path>) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |e: std::io::Error| format!("cannot read the token in {}: {e}", file.display());
    let mode = std::fs::metadata(file).map_err(failed)?.permissions().mode();
    let is_handed_over = file.parent().is_some() && file.parent() == credentials;
    let of_others = if is_handed_over { 0o037 } else { 0o077 };
    if mode & of_others != 0 {
        let file = file.display();
        return Err(format!("others may read the token in {file}; keep it to yourself: chmod 600 {file}"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_owner_only(_: &Path, _: Option<&Path>) -> Result<(), String> {
    Ok(())
}

fn digest(token: &str, from: &str) -> Result<TokenDigest, String> {
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("the token in {from} has characters that no header carries: use visible ASCII"));
    }
    if token.len() < TOKEN_CHARS_MIN {
        return Err(format!(
            "the token in {from} has {} characters; use at least {TOKEN_CHARS_MIN} that nobody guesses, such as those \
             that openssl rand -hex 32 prints",
            token.len()
        ));
    }
    Ok(TokenDigest::of(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn what_is_no_token_is_refused_without_being_shown() {
        for bad in ["", "short", "a token with spaces in it", "t\u{f6}ken-t\u{f6}ken-t\u{f6}ken"] {
            let Err(message) = digest(bad, "a file") else { panic!("{bad} is no token") };
            assert!(message.contains("a file") && (bad.is_empty() || !message.contains(bad)), "{message}");
        }
        assert!(digest(TOKEN, "a file").is_ok_and(|digest| digest.is(&TokenDigest::of(TOKEN))));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_holds_no_secret() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), format!("{TOKEN}\n")).expect("room");
        let mode =
            |mode| std::fs::set_permissions(file.path(), PermissionsExt::from_mode(mode)).expect("ours");
        mode(0o640);
        assert!(read_token(Some(file.path())).is_err_and(|message| message.contains("chmod 600")));
        // But for what systemd hands over, and there no more than that.
        mode(0o440);
        let directory = file.path().parent();
        assert!(from_file(file.path(), directory).is_ok_and(|token| token.trim() == TOKEN));
        assert!(from_file(file.path(), directory.and_then(Path::parent)).is_err());
        assert!(from_file(file.path(), None).is_err());
        mode(0o444);
        assert!(from_file(file.path(), directory).is_err());
        mode(0o600);
        let read = read_token(Some(file.path())).expect("a token").expect("a token");
        assert!(read.is(&TokenDigest::of(TOKEN)) && !read.is(&TokenDigest::of("another")));
    }
}
