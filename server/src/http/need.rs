//! What a route needs of who asks: a role, and which collections the request is about.

use std::fmt;

use kithdb::base::{Error, Result};
use serde::{Deserialize, Serialize};

/// What may be done. Each includes what comes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look.
    Read,
    /// Change what is stored.
    Write,
    /// Look after the server: its keys, its state.
    Admin,
}

impl Role {
    /// The role of this name.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn parse(name: &str) -> Result<Self> {
        let mut all = [Self::Read, Self::Write, Self::Admin].into_iter();
        let found = all.find(|role| role.name() == name);
        let got = || kithdb::base::ids::shorten(name);
        found.ok_or_else(|| Error::parameter("role", got(), "read, write or admin"))
    }

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which collections a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The database: only who may use every collection.
    Database,
    /// The one that a variable of the path names.
    Path(&'static str),
    /// The one that a field of the JSON body names; a body without it is about the database.
    Field(&'static str),
    /// None: every key with the role may ask.
    Nothing,
    /// The answer lists some: the handler leaves out what the [`Caller`](super::access::Caller) may not use.
    Listed,
}

/// What a route needs. There is no route without one: a [`Table`](super::table::Table) takes none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// `None`: anybody may ask, without a token.
    pub role: Option<Role>,
    /// Which collections it is about.
    pub about: About,
    /// A variable of the path with verbs, and those of them that only look: [`Role::Read`] is enough for these.
    pub looks: Option<(&'static str, &'static [&'static str])>,
}

/// Anybody may ask, without a token. Nothing of the database is in the answer.
pub const fn public() -> Need {
    Need { role: None, about: About::Database, looks: None }
}

/// It looks.
pub const fn read(about: About) -> Need {
    Need { role: Some(Role::Read), about, looks: None }
}

/// It changes what is stored.
pub const fn write(about: About) -> Need {
    Need { role: Some(Role::Write), about, looks: None }
}

/// It looks after the server, which is about no collection.
pub const fn admin() -> Need {
    Need { role: Some(Role::Admin), about: About::Database, looks: None }
}

impl Need {
    /// The same, but reading is enough where the variable of the path is one of these verbs.
    pub const fn but_reads(mut self, variable: &'static str, verbs: &'static [&'static str]) -> Self {
        self.looks = Some((variable, verbs));
        self
    }

    /// The variables of the path that it goes by.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        let named = if let About::Path(variable) = self.about { Some(variable) } else { None };
        named.into_iter().chain(self.looks.map(|(variable, _)| variable))
    }

    /// The role that is needed where the path has these variables.
    pub fn role_for<'a>(&self, mut variable: impl FnMut(&str) -> Option<&'a str>) -> Option<Role> {
        let only_looks =
            |(name, verbs): (&str, &[&str])| variable(name).is_some_and(|verb| verbs.contains(&verb));
        if self.looks.is_some_and(only_looks) { self.role.map(|_| Role::Read) } else { self.role }
    }
}
