//! The recipe as a recipe: teachers, stages, and the fields that are neither.

use syn::ext::IdentExt;
use syn::{Ident, ItemStruct, Path, Type};

use crate::check::legality::Kind;
use crate::messages;
use crate::method::{path_of, Method};
use crate::report::Report;
use crate::stage::StageName;
use crate::suggest;
use crate::syntax::{docs, Field, Setting, Written};

/// A whole recipe. Places count the struct's fields from 0.
pub struct Recipe {
    pub item: ItemStruct,
    /// The recipe it was forked from.
    pub base: Option<String>,
    /// Where that is found.
    pub base_path: Option<Box<Path>>,
    pub doc: String,
    pub teachers: Vec<Teacher>,
    pub stages: Vec<Stage>,
    pub strangers: Vec<Stranger>,
}

/// A field under `#[teacher]`.
pub struct Teacher {
    pub name: Ident,
    pub place: usize,
    pub kind: Kind,
    pub method: Method,
    pub domain: Option<Path>,
    pub reads: Option<Path>,
    /// Its attribute could not be read in full.
    pub broken: bool,
    pub with: Vec<Setting>,
}

/// A field with a stage's name.
pub struct Stage {
    pub stage: StageName,
    pub name: Ident,
    pub place: usize,
    pub method: Method,
    pub with: Vec<Setting>,
    /// The field's doc comment, in one line.
    pub says: Option<String>,
}

/// A field that is neither teacher nor stage, and what it was probably meant to be.
pub struct Stranger {
    pub name: Ident,
    pub meant: Meant,
}

/// What a stranger was probably meant to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    Teacher,
    /// The stage under the name another tool gives it.
    Alias(StageName),
    /// The stage, misspelt.
    NearMiss(StageName),
    Unknown,
}

impl Recipe {
    /// Sorts the fields of what was written.
    pub fn new(written: Written, report: &mut Report) -> Self {
        let doc = docs(&written.item.attrs);
        let (base, base_path) = written.inherited.map(|inherited| (inherited.base, inherited.path)).unzip();
        let mut recipe = Self {
            item: written.item,
            base,
            base_path: base_path.flatten(),
            doc,
            teachers: Vec::new(),
            stages: Vec::new(),
            strangers: Vec::new(),
        };
        for (place, field) in written.fields.into_iter().enumerate() {
            recipe.take(place, field, report);
        }
        recipe
    }

    /// The recipe's name.
    pub fn name(&self) -> &Ident {
        &self.item.ident
    }

    /// The stage of this name, where it is declared.
    pub fn stage(&self, name: StageName) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.stage == name)
    }

    /// Every field that has a method, in the order of the struct.
    pub fn parts(&self) -> impl Iterator<Item = (&Ident, &Method, &[Setting])> {
        let teachers = self.teachers.iter().map(|one| (&one.name, &one.method, one.with.as_slice()));
        let stages = self.stages.iter().map(|one| (&one.name, &one.method, one.with.as_slice()));
        teachers.chain(stages)
    }

    fn take(&mut self, place: usize, field: Field, report: &mut Report) {
        let word = field.name.unraw().to_string();
        if let Some(words) = field.teacher {
            let method = Method::read(&field.ty, || messages::teacher_without_a_kind(&field.name), report);
            if method.is_plain_data() {
                report.at(&field.ty, messages::plain_data_as_a_kind(&method, &field.name));
            }
            self.teachers.push(Teacher {
                kind: Kind::of(&method.word()),
                name: field.name,
                place,
                method,
                domain: words.domain,
                reads: words.reads,
                broken: words.broken,
                with: field.with,
            });
        } else if let Some(stage) = StageName::named(&word) {
            let method = Method::read(&field.ty, || messages::stage_without_a_method(stage), report);
            if method.is_plain_data() {
                report.at(&field.ty, messages::plain_data_as_a_method(&method, stage));
            }
            let says = field.says();
            self.stages.push(Stage { stage, name: field.name, place, method, with: field.with, says });
        } else {
            let meant = Meant::of(&field);
            self.strangers.push(Stranger { name: field.name, meant });
        }
    }
}

impl Meant {
    /// What a field that is neither teacher nor stage was probably meant to be.
    pub fn of(field: &Field) -> Self {
        let word = &*field.name.unraw().to_string();
        let names = StageName::ALL.iter().map(|stage| stage.as_str());
        if word == "teacher" || is_teacher_kind(&field.ty) {
            Self::Teacher
        } else if let Some(stage) = StageName::also_known_as(word) {
            Self::Alias(stage)
        } else if let Some(stage) = suggest::nearest(word, names).and_then(StageName::named) {
            Self::NearMiss(stage)
        } else {
            Self::Unknown
        }
    }

    /// What to say of it.
    pub fn says(self, name: &Ident) -> String {
        match self {
            Self::Teacher => messages::teacher_without_its_attribute(name),
            Self::Alias(stage) => messages::stage_by_another_name(name, stage),
            Self::NearMiss(stage) => messages::misspelt_stage(name, stage),
            Self::Unknown => messages::unknown_field(name),
        }
    }

    /// The stage it stands for, so that nobody is told twice that it is missing.
    pub fn stage(self) -> Option<StageName> {
        match self {
            Self::Alias(stage) | Self::NearMiss(stage) => Some(stage),
            Self::Teacher | Self::Unknown => None,
        }
    }
}

fn is_teacher_kind(ty: &Type) -> bool {
    path_of(ty)
        .and_then(|path| path.segments.last())
        .is_some_and(|last| Kind::of(&last.ident.to_string()) != Kind::Other)
}
