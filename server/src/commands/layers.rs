//! Where the settings of `serve` come from: an argument, else a variable of the environment, else the file of `--config`,
//! else the default. Variables and the file become arguments, so that each is read and checked in one way.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use kithdb::base::ids::shorten;
use serde_json::Value;

/// The subcommands that have these settings.
const LAYERED: [&str; 2] = ["serve", "check-config"];
/// What KektorDB calls some of them.
const ALIASES: [(&str, &str); 2] = [("data", "KEKTOR_DATA_DIR"), ("listen", "KEKTOR_PORT")];

/// A key with more wrong letters is not taken for one that there is.
const LETTERS_MAX: usize = 3;
/// A longer key is not compared.
const KEY_BYTES_MAX: usize = 64;

/// A setting that is not the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its name in the file.
    pub key: String,
    /// Where it was said.
    pub source: String,
}

/// Arguments with all that variables and the file say, and where each setting was said.
///
/// # Errors
/// A line that says what is wrong with the file or a variable.
pub fn layered(
    command: &Command,
    args: Vec<OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<(Vec<OsString>, Vec<Told>), String> {
    let (mut args, mut told) = (args, Vec::new());
    // What is wrong with the arguments is said when they are read for good.
    let Ok(matches) = command.clone().ignore_errors(true).try_get_matches_from(&args) else {
        return Ok((args, told));
    };
    let Some((name, given)) = matches.subcommand().filter(|(name, _)| LAYERED.contains(name)) else {
        return Ok((args, told));
    };
    let Some(subcommand) = command.find_subcommand(name) else { return Ok((args, told)) };
    let settings: Vec<&Arg> = subcommand.get_arguments().filter(|arg| key_of(arg).is_some()).collect();
    let file = match setting(given, "config").or_else(|| variable("KITH_CONFIG")) {
        Some(file) => read_file(&file, &settings)?,
        None => BTreeMap::new(),
    };
    for arg in settings {
        let Some(key) = key_of(arg) else { continue };
        let source = if is_given(given, arg) {
            "an argument".to_owned()
        } else if let Some((name, value)) = from_environment(&key, &variable) {
            push(&mut args, arg, &name, &[value])?;
            name
        } else if let Some((line, values)) = file.get(&key) {
            let source = format!("line {line} of the file");
            push(&mut args, arg, &source, values)?;
            source
        } else {
            continue;
        };
        told.push(Told { key, source });
    }
    Ok((args, told))
}

/// The name of a setting in the file; `None` for what is none.
pub fn key_of(arg: &Arg) -> Option<String> {
    arg.get_long()
        .filter(|long| !["help", "version", "config"].contains(long))
        .map(|long| long.replace('-', "_"))
}

fn setting(given: &ArgMatches, id: &str) -> Option<OsString> {
    given.get_raw(id).and_then(|mut values| values.next()).map(OsStr::to_owned)
}

fn is_given(given: &ArgMatches, arg: &Arg) -> bool {
    given.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
}

fn from_environment(key: &str, variable: &impl Fn(&str) -> Option<OsString>) -> Option<(String, OsString)> {
    let own = format!("KITH_{}", key.to_ascii_uppercase());
    if let Some(value) = variable(&own) {
        return Some((own, value));
    }
    let (_, alias) = ALIASES.iter().find(|(name, _)| *name == key)?;
    let value = variable(alias)?;
    let value = match value.to_str() {
        // A port alone, with or without the colon that Go puts before it.
        Some(port) if key == "listen" => format!("127.0.0.1:{}", port.trim_start_matches(':')).into(),
        _ => value,
    };
    Some(((*alias).to_owned(), value))
}

fn push(args: &mut Vec<OsString>, arg: &Arg, source: &str, values: &[OsString]) -> Result<(), String> {
    let long = arg.get_long().unwrap_or_default();
    for value in values {
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            match value.to_str() {
                Some("true" | "1") => args.push(format!("--{long}").into()),
                Some("false" | "0") => {}
                _ => return Err(format!("{source} says {long}: expected true or false")),
            }
            continue;
        }
        let mut whole = OsString::from(format!("--{long}="));
        whole.push(value);
        args.push(whole);
    }
    Ok(())
}

/// Line and values of each key of the file.
fn read_file(file: &OsStr, settings: &[&Arg]) -> Result<BTreeMap<String, (usize, Vec<OsString>)>, String> {
    let path = file.to_string_lossy();
    let text = std::fs::read_to_string(file).map_err(|e| format!("cannot read {path}: {e}"))?;
    parse_file(&text, settings).map_err(|e| format!("{path}: {e}"))
}

fn parse_file(text: &str, settings: &[&Arg]) -> Result<BTreeMap<String, (usize, Vec<OsString>)>, String> {
    let known: Vec<String> = settings.iter().filter_map(|arg| key_of(arg)).collect();
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(BTreeMap::new());
    }
    let parsed: BTreeMap<String, Value> = serde_saphyr::from_str(text).map_err(|e| {
        // Without its own words, which show what stands there.
        let line = e.location().map_or(1, |at| at.line());
        format!(
            "line {line}: this is no YAML with settings: expected a name, a colon and a value on each line"
        )
    })?;
    let mut found = BTreeMap::new();
    for (key, value) in parsed {
        let is_its = |line: &str| line.trim_start_matches(['"', '\'']).starts_with(&key);
        let line = text.lines().position(is_its).map_or(1, |at| at + 1);
        if !known.contains(&key) {
            let (key, hint) = (shorten(&key), hint(&known, &key));
            return Err(format!("line {line}: there is no setting {key:?}; {hint}"));
        }
        let values = match value {
            Value::Array(values) => {
                values.iter().map(|value| scalar(&key, line, value)).collect::<Result<_, _>>()?
            }
            Value::Null => Vec::new(),
            value => vec![scalar(&key, line, &value)?],
        };
        found.insert(key, (line, values));
    }
    Ok(found)
}

/// What may have been meant by a key that is none.
fn hint(known: &[String], key: &str) -> String {
    let key = key.to_ascii_lowercase().replace('-', "_");
    let key = key.strip_prefix("kith_").unwrap_or(&key);
    if key == "token" {
        return "did you mean token_file, for no secret belongs here?".to_owned();
    }
    let is_long = key.len() > KEY_BYTES_MAX;
    let near = known.iter().map(|name| (if is_long { usize::MAX } else { distance(name, key) }, name)).min();
    match near {
        Some((letters, name)) if letters <= LETTERS_MAX => format!("did you mean {name}?"),
        _ => format!("there are {}", known.join(", ")),
    }
}

fn scalar(key: &str, line: usize, value: &Value) -> Result<OsString, String> {
    match value {
        Value::String(text) => Ok(text.into()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string().into()),
        _ => Err(format!("line {line}: {key} is one value")),
    }
}

/// How many letters have to be changed, put in or left out to make one of the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.bytes().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (before + usize::from(a != b)).min(above + 1).min(row[j] + 1);
            before = above;
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn read(args: &[&str], variables: &[(&str, &str)]) -> Result<(Vec<String>, Vec<Told>), String> {
        let args = ["kithdb", "serve"].iter().chain(args).map(OsString::from).collect();
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| v.into());
        let (args, told) = layered(&crate::Cli::command(), args, variable)?;
        Ok((args.into_iter().map(|arg| arg.into_string().expect("UTF-8")).collect(), told))
    }

    #[test]
    fn an_argument_comes_before_a_variable_and_that_before_the_file() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let text = "# ours\ndata: /from/file\nlisten: 127.0.0.1:1\ndurability: always\n\
                    allowed_host: [a.example, b.example]\nread_only: true\n";
        std::fs::write(file.path(), text).expect("room");
        let config = format!("--config={}", file.path().display());
        let variables = [("KITH_LISTEN", "127.0.0.1:2"), ("KITH_DURABILITY", "os")];
        let (args, told) = read(&[&config, "--durability", "memory"], &variables).expect("sound");
        for expected in [
            "--data=/from/file",
            "--listen=127.0.0.1:2",
            "--allowed-host=a.example",
            "--allowed-host=b.example",
            "--read-only",
        ] {
            assert!(args.iter().any(|arg| arg == expected), "{expected} in {args:?}");
        }
        assert!(!args.iter().any(|arg| arg.starts_with("--durability=")), "{args:?}");
        let source = |key: &str| told.iter().find(|told| told.key == key).map(|told| told.source.as_str());
        assert_eq!(source("data"), Some("line 2 of the file"));
        assert_eq!((source("listen"), source("durability")), (Some("KITH_LISTEN"), Some("an argument")));
        assert_eq!(source("embedder"), None);
    }

    #[test]
    fn kektors_variables_are_read_where_ours_are_not_there() {
        let kektor = [("KEKTOR_PORT", ":9200"), ("KEKTOR_DATA_DIR", "/data"), ("KITH_DATA", "/ours")];
        let (args, _) = read(&[], &kektor).expect("sound");
        assert_eq!(args[2..], ["--data=/ours", "--listen=127.0.0.1:9200"]);
    }

    #[test]
    fn what_the_file_should_not_have_is_named_with_its_line_and_the_nearest_key() {
        let command = crate::Cli::command();
        let serve = command.find_subcommand("serve").expect("there");
        let settings: Vec<&Arg> = serve.get_arguments().filter(|arg| key_of(arg).is_some()).collect();
        for (text, said) in [
            ("data: x\nlisten_to: y\n", "line 2: there is no setting \"listen_to\"; did you mean listen?"),
            ("durabilty: os\n", "line 1: there is no setting \"durabilty\"; did you mean durability?"),
            ("allowed-host: a\n", "did you mean allowed_host?"),
            ("KITH_DATA: a\n", "did you mean data?"),
            ("colour: red\n", "line 1: there is no setting \"colour\"; there are data, listen, token_file, "),
            ("token: secret-canary\n", "did you mean token_file"),
            ("KITH_TOKEN: secret-canary\n", "did you mean token_file"),
            ("data: {a: b}\n", "line 1: data is one value"),
        ] {
            let error = parse_file(text, &settings).expect_err(text);
            assert!(error.contains(said) && !error.contains("canary"), "{error}");
        }
        for text in ["data: [", "- a\n- b\n", "data: a\ndata: b\n"] {
            parse_file(text, &settings).expect_err(text);
        }
        assert_eq!(parse_file("# nothing\n\n", &settings), Ok(BTreeMap::new()));
    }
}
