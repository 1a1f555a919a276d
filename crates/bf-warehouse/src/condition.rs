//! Conditions on a row: a small typed expression that both engines and this program read in the same way.
//!
//! Like SQL it has three answers: yes, no, and unknown (`None`). A row counts only where the answer is yes.

mod eval;
mod parse;

use crate::Ident;

pub(crate) use eval::{Compiled, number};

/// A condition on a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All of them hold.
    All(Vec<Condition>),
    /// At least one of them holds.
    Any(Vec<Condition>),
    /// It does not hold; unknown stays unknown.
    Not(Box<Condition>),
    /// A test of one column.
    Test {
        /// The column.
        column: Ident,
        /// What is asked of it.
        test: Test,
    },
}

/// What is asked of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It is NULL, or an array of nothing.
    IsNull,
    /// It holds a value: not NULL, not NaN, not infinite, not an array of nothing, not a text of spaces alone.
    IsPresent,
    /// It holds a finite number, or a text that is written like one.
    IsNumber,
    /// It is true.
    IsTrue,
    /// It is a text with no white space at either end and something in between, or a number; unknown where it
    /// is NULL.
    IsTrimmed,
    /// It has no small letter of ASCII; unknown if it is NULL.
    IsUpper,
    /// It has no capital letter of ASCII; unknown if it is NULL.
    IsLower,
    /// It compares with a literal; unknown if it is NULL or of another kind than the literal.
    Compare(Operator, Literal),
    /// It equals one of the literals.
    In(Vec<Literal>),
    /// It is a text that begins with one of the texts; unknown if it is NULL or no text.
    StartsWith(Vec<String>),
    /// Its array has at least one of the texts, at any depth.
    ContainsAny(Vec<String>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equals,
    /// `<>`
    Differs,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// A value in a suite.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A finite number.
    Number(f64),
    /// A text.
    Text(String),
    /// true or false.
    Bool(bool),
}

impl Condition {
    /// Both hold; `None` means no condition at all.
    #[must_use]
    pub fn and(left: Option<&Self>, right: Option<&Self>) -> Option<Self> {
        match (left, right) {
            (Some(left), Some(right)) => Some(Self::All(vec![left.clone(), right.clone()])),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        }
    }

    /// A test of one column.
    #[must_use]
    pub fn test(column: &Ident, test: Test) -> Self {
        Self::Test {
            column: column.clone(),
            test,
        }
    }

    /// The comparisons with a number that it makes, with their columns. A text in such a column compares with no number.
    pub fn number_comparisons(&self) -> Vec<(&Ident, &Self)> {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().flat_map(Self::number_comparisons).collect()
            }
            Self::Not(part) => part.number_comparisons(),
            Self::Test {
                column,
                test: Test::Compare(_, Literal::Number(_)),
            } => vec![(column, self)],
            Self::Test { .. } => Vec::new(),
        }
    }

    /// The columns that it reads, to be renamed.
    pub fn columns_mut(&mut self) -> Vec<&mut Ident> {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter_mut().flat_map(Self::columns_mut).collect()
            }
            Self::Not(part) => part.columns_mut(),
            Self::Test { column, .. } => vec![column],
        }
    }

    /// The columns that it reads, in order of appearance.
    pub fn columns(&self) -> Vec<&Ident> {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().flat_map(Condition::columns).collect()
            }
            Self::Not(part) => part.columns(),
            Self::Test { column, .. } => vec![column],
        }
    }
}
