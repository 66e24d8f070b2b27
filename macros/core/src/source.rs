//! The recipe as its author wrote it, a fork with its base, printed evenly: for snapshots, logs and `show`.

use quote::quote;
use syn::visit::Visit;
use syn::{parse_quote, Attribute, Expr, Fields, ItemStruct, Type};

use crate::model::Recipe;

const GAP: &str = "#[gap]";

/// The struct under `#[recipe]`, with a blank line between who teaches and what is done.
pub fn text(recipe: &Recipe) -> String {
    let mut item = recipe.item.clone();
    item.attrs = attributes(recipe);
    if !prints(&item) {
        return quote!(#item).to_string();
    }
    let first_stage = recipe.stages.iter().map(|stage| stage.place).min();
    if let (Some(place), false, Fields::Named(fields)) =
        (first_stage, recipe.teachers.is_empty(), &mut item.fields)
        && let Some(field) = fields.named.get_mut(place)
    {
        field.attrs.insert(0, parse_quote!(#[gap]));
    }
    let file = syn::File { shebang: None, attrs: Vec::new(), items: vec![item.into()] };
    let text = prettyplease::unparse(&file);
    text.lines().map(|line| if line.trim() == GAP { "\n".to_owned() } else { format!("{line}\n") }).collect()
}

/// Docs first, then `#[recipe]`, then whatever else stands on the struct.
fn attributes(recipe: &Recipe) -> Vec<Attribute> {
    let (docs, others): (Vec<Attribute>, Vec<Attribute>) =
        recipe.item.attrs.iter().cloned().partition(|attribute| attribute.path().is_ident("doc"));
    let ours: Attribute = parse_quote!(#[recipe]);
    docs.into_iter().chain([ours]).chain(others).collect()
}

/// The formatter knows every construct in it.
fn prints(item: &ItemStruct) -> bool {
    struct Known(bool);
    impl<'ast> Visit<'ast> for Known {
        fn visit_type(&mut self, ty: &'ast Type) {
            self.0 &= !matches!(ty, Type::Verbatim(_));
            syn::visit::visit_type(self, ty);
        }
        fn visit_expr(&mut self, expr: &'ast Expr) {
            self.0 &= !matches!(expr, Expr::Verbatim(_) | Expr::Block(_));
            syn::visit::visit_expr(self, expr);
        }
    }
    let mut known = Known(true);
    known.visit_item_struct(item);
    known.0
}
