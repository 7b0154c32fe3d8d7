//! The profiles in use, which a reload can replace while requests wait.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;

use super::Profiles;

/// The profiles in use. Clones share one set.
#[derive(Clone, Default)]
pub struct InUse(Arc<ArcSwap<Profiles>>);

impl InUse {
    /// Starts with the given profiles.
    #[must_use]
    pub fn new(profiles: Profiles) -> InUse {
        InUse(Arc::new(ArcSwap::from_pointee(profiles)))
    }

    /// Returns the current profiles.
    #[must_use]
    pub fn load(&self) -> Arc<Profiles> {
        self.0.load_full()
    }

    /// Replaces the profiles. Returns true if the new ones differ.
    pub fn replace(&self, profiles: Profiles) -> bool {
        let differ = *self.load() != profiles;
        if differ {
            self.0.store(Arc::new(profiles));
        }
        differ
    }

    /// Captures the state of the profile `name` as a request read it, for a later comparison.
    #[must_use]
    pub fn snapshot(&self, read: &Arc<Profiles>, name: &str) -> ProfileSnapshot {
        ProfileSnapshot {
            in_use: self.clone(),
            read: Arc::clone(read),
            name: name.to_owned(),
        }
    }
}

impl fmt::Debug for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InUse").finish_non_exhaustive()
    }
}

/// A profile as a request read it.
#[derive(Debug, Clone)]
pub struct ProfileSnapshot {
    in_use: InUse,
    read: Arc<Profiles>,
    name: String,
}

impl ProfileSnapshot {
    /// Returns the name of the profile.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns true if the profile in use is still the one that was read. Changes of other profiles do not
    /// matter.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let now = self.in_use.load();
        Arc::ptr_eq(&now, &self.read) || now.get(&self.name) == self.read.get(&self.name)
    }
}
