//! A figure's place in a scan.

use std::marker::PhantomData;

/// Where a scan has what was measured. `T` is what one day has of it, or the whole range, so that figures of one kind
/// cannot be taken for those of another.
pub struct Measure<T> {
    at: usize,
    kind: PhantomData<fn() -> T>,
}

impl<T> Measure<T> {
    pub(crate) const fn new(at: usize) -> Self {
        Self {
            at,
            kind: PhantomData,
        }
    }

    /// Its position in the plan.
    pub(crate) const fn position(self) -> usize {
        self.at
    }
}

impl<T> Clone for Measure<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Measure<T> {}

impl<T> PartialEq for Measure<T> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl<T> Eq for Measure<T> {}

impl<T> std::fmt::Debug for Measure<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Measure({})", self.at)
    }
}
