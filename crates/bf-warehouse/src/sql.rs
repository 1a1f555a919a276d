//! SQL that is the same in every engine but for a few words. What differs is an engine's [`Flavor`], in its folder.
//!
//! Everything is made of checked names, typed conditions and dates; no text of a user is pasted into it.

mod condition;
mod flavor;
mod grouped;
mod joined;
mod listing;
mod probe;
mod profile;

use bf_contract::DateRange;

use crate::{DatedTable, Ident};

pub(crate) use condition::{Params, render, render_lacking};
pub(crate) use flavor::{Flavor, string_regex, word_regex};
pub(crate) use grouped::{
    counts_nothing, query as grouped_query, read as read_grouped, read_without_a_date,
    without_a_date,
};
pub(crate) use joined::{query as joined_query, read as read_joined};
pub(crate) use listing::query as listing_query;
pub(crate) use probe::Prober;
pub(crate) use profile::query as profile_query;

/// A quoted column.
pub(crate) fn quoted(flavor: &dyn Flavor, column: &Ident) -> String {
    flavor.quote(column.as_str())
}

/// The day of a table's rows.
pub(crate) fn day_of(flavor: &dyn Flavor, table: &DatedTable) -> String {
    flavor.day_of(&quoted(flavor, &table.date_column), table.date_kind())
}

/// Whether a row of a table lies in a range, whose days are literals.
pub(crate) fn within(flavor: &dyn Flavor, table: &DatedTable, range: DateRange) -> String {
    let date = quoted(flavor, &table.date_column);
    let (start, end) = (flavor.date(range.start), flavor.date(range.end));
    flavor.within_days(&date, table.date_kind(), &start, &end)
}
