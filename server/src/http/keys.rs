//! Access keys: tokens of less than everything, for a role, some collections and a time. Kept beside the database, where
//! no request reads, as digests: whoever reads the files cannot ask with what is in them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::http::StatusCode;
use kithdb::base::{Clock, Error, InputError, Result, StorageError, check_name};
use kithdb::host::Db;
use kithdb::storage::Level;
use serde::{Deserialize, Serialize};

use super::access::{Caller, TokenDigest};
use super::need::Role;
use super::problem::Problem;

/// Where they are kept.
const NAME: &str = "access";
/// What every token of a key begins with.
const PREFIX: &str = "kith_";
/// So many keys at once.
const KEYS_MAX: usize = 1_000;
/// So many collections, where a key is not for all.
const COLLECTIONS_MAX: usize = 100;
/// Longest description, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 256;
/// So many revoked ids are remembered, the latest.
const REVOKED_MAX: usize = 1_000;
/// What stands for every collection.
const ALL: &str = "*";

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The part of its token that is no secret.
    pub id: String,
    /// Of its whole token, in hexadecimal digits.
    digest: String,
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub role: Role,
    /// Where; `*` for everywhere.
    pub collections: Vec<String>,
    /// When it was made, in nanoseconds since 1970 UTC.
    pub created_at: i64,
    /// From when on it is worth nothing; never for `None`.
    pub expires_at: Option<i64>,
}

/// What is asked of a new key.
pub struct NewKey {
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub role: Role,
    /// Where; `*` for everywhere.
    pub collections: Vec<String>,
    /// In nanoseconds since 1970 UTC; never for `None`.
    pub expires_at: Option<i64>,
}

/// All that is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Kept {
    /// By id.
    pub keys: BTreeMap<String, Key>,
    /// The ids of those that were revoked, the latest last.
    pub revoked: Vec<String>,
}

/// The keys of a server. Read from the database when the first token of one comes, and held then.
#[derive(Default)]
pub struct Keys {
    known: RwLock<Option<Arc<Kept>>>,
    /// Held by who changes them.
    changing: Mutex<()>,
}

impl Keys {
    /// All keys, where they were read already.
    pub fn known(&self) -> Option<Arc<Kept>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All keys.
    ///
    /// # Errors
    /// As [`Db::own_get`]; `corrupt`.
    pub fn read(&self, db: &Db) -> Result<Arc<Kept>> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = Arc::new(read(db)?);
        self.publish(&kept);
        Ok(kept)
    }

    /// Whether who asked still may: their key was not revoked since, and has not expired. Answers that go on ask again.
    pub fn still_let_in(&self, caller: &Caller, clock: &dyn Clock) -> bool {
        let Some(id) = caller.key() else { return true };
        let counts = |kept: Arc<Kept>| kept.keys.get(id).is_some_and(|key| !key.has_expired(clock.now_ns()));
        self.known().is_some_and(counts)
    }

    /// Makes a key and answers it with its token, which is not kept. It is durable then.
    ///
    /// # Errors
    /// `invalid_parameter`, `invalid_name`, `too_large`; as [`Db::own_set`].
    pub fn make(&self, db: &Db, new: NewKey) -> Result<(Key, String), Problem> {
        let now = db.options().clock.now_ns();
        new.check(now)?;
        let (id, secret) = (random::<16>()?, random::<32>()?);
        let token = format!("{PREFIX}{id}_{secret}");
        let NewKey { description, role, collections, expires_at } = new;
        let digest = TokenDigest::of(&token).to_hex();
        let key = Key { id: id.clone(), digest, description, role, collections, created_at: now, expires_at };
        let made = key.clone();
        self.change(db, |kept| {
            kept.keys.retain(|_, key| !key.has_expired(now));
            if kept.keys.len() >= KEYS_MAX {
                let (got, limit) = (kept.keys.len() as u64 + 1, KEYS_MAX as u64);
                let what = "the number of access keys";
                return Err(Error::from(InputError::TooLarge { what, got, limit }).into());
            }
            kept.keys.insert(id, key);
            Ok(true)
        })?;
        Ok((made, token))
    }

    /// Takes a key away. It is worth nothing from then on, whatever happens to the server. Where that cannot be kept, on a
    /// full disk, it is worth nothing until the server is started again.
    ///
    /// # Errors
    /// 404 where there is and was none of this id; as [`Db::own_set`], with a hint that the key is refused meanwhile.
    pub fn revoke(&self, db: &Db, id: &str) -> Result<(), Problem> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut kept, is_behind) = self.current(db)?;
        let is_new = kept.revoke(id)? || is_behind;
        let json = serde_json::to_string(&kept).map_err(|_| Problem::internal())?;
        // First: whoever holds the token is refused from now on, whatever becomes of the write.
        self.publish(&Arc::new(kept));
        if is_new {
            db.own_set(NAME, &json, Some(Level::Always)).map_err(|error| {
                let hint =
                    "the key is refused until the server is started again; make room and revoke it once more";
                Problem::from(error).hint(hint)
            })?;
        }
        Ok(())
    }

    fn change(
        &self,
        db: &Db,
        change: impl FnOnce(&mut Kept) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut kept, _) = self.current(db)?;
        if change(&mut kept)? {
            let json = serde_json::to_string(&kept).map_err(|_| Problem::internal())?;
            db.own_set(NAME, &json, Some(Level::Always))?;
        }
        self.publish(&Arc::new(kept));
        Ok(())
    }

    /// What is kept without what was revoked and could not be kept so; and whether there is such a key.
    fn current(&self, db: &Db) -> Result<(Kept, bool)> {
        let (mut kept, mut is_behind) = (read(db)?, false);
        for id in self.known().iter().flat_map(|known| &known.revoked) {
            is_behind |= kept.take_away(id);
        }
        Ok((kept, is_behind))
    }

    fn publish(&self, kept: &Arc<Kept>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(kept));
    }
}

impl Kept {
    /// Takes a key away; false where it was before.
    fn revoke(&mut self, id: &str) -> Result<bool, Problem> {
        if self.take_away(id) {
            return Ok(true);
        }
        if self.revoked.iter().any(|revoked| revoked == id) {
            return Ok(false);
        }
        let message = format!("there is no access key {:?}", kithdb::base::ids::shorten(id));
        Err(Problem::http(StatusCode::NOT_FOUND, "unknown_access_key", message))
    }

    fn take_away(&mut self, id: &str) -> bool {
        let is_there = self.keys.remove(id).is_some();
        if is_there {
            self.revoked.push(id.to_owned());
            let surplus = self.revoked.len().saturating_sub(REVOKED_MAX);
            self.revoked.drain(..surplus);
        }
        is_there
    }

    /// Who asks with this token: `None` when no key has it, or it has expired.
    pub fn caller(&self, token: &str, clock: &dyn Clock) -> Option<Caller> {
        let key = self.keys.get(id_of(token)?)?;
        let is_its = TokenDigest::from_hex(&key.digest)?.is(&TokenDigest::of(token));
        if !is_its || key.has_expired(clock.now_ns()) {
            return None;
        }
        let everywhere = key.collections.iter().any(|name| name == ALL);
        Some(Caller::of_key(key.role, (!everywhere).then(|| key.collections.clone()), key.id.clone()))
    }
}

/// The id in a token; `None` when it is none of a key.
pub fn id_of(token: &str) -> Option<&str> {
    token.strip_prefix(PREFIX)?.split_once('_').map(|(id, _)| id)
}

impl Key {
    /// Whether its time is over.
    pub fn has_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

impl NewKey {
    fn check(&self, now: i64) -> Result<()> {
        let Self { description, collections, expires_at, .. } = self;
        if description.len() > DESCRIPTION_BYTES_MAX {
            let expected = format!("up to {DESCRIPTION_BYTES_MAX} bytes");
            return Err(Error::parameter("description", format!("{} bytes", description.len()), expected));
        }
        if !(1..=COLLECTIONS_MAX).contains(&collections.len()) {
            let expected = format!("*, or 1 to {COLLECTIONS_MAX} names");
            return Err(Error::parameter("collections", format!("{} names", collections.len()), expected));
        }
        collections.iter().filter(|name| *name != ALL).try_for_each(|name| check_name(name))?;
        match expires_at {
            Some(at) if *at <= now => {
                let format = kithdb::base::time::format_time;
                Err(Error::parameter("expires_at", format(*at), format!("a time after {}", format(now))))
            }
            _ => Ok(()),
        }
    }
}

fn read(db: &Db) -> Result<Kept> {
    let Some(json) = db.own_get(NAME)? else { return Ok(Kept::default()) };
    serde_json::from_str(&json).map_err(|_| {
        let (object, expected) = ("the access keys".to_owned(), "what was written there".to_owned());
        Error::corrupt(object, 0, expected)
    })
}

/// Random bytes of the system, in hexadecimal digits.
pub fn random<const BYTES: usize>() -> Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|e| {
        let (action, object) = ("draw", "random bytes of the system".to_owned());
        Error::from(StorageError::Io { action, object, cause: e.to_string() })
    })?;
    Ok(to_hex(&bytes))
}

/// Bytes as hexadecimal digits.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
