//! Line charts and stacked areas as inline SVG.

use super::html::{colour, escape, number};
use super::scale::{drawable, smooth, thin, Axis};

/// A chart over the steps of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Chart {
    /// What is shown.
    pub title: String,
    /// The unit or meaning of the vertical axis.
    pub y_label: String,
    /// Lines, or areas that stand on each other.
    pub series: Vec<Series>,
    /// Whether the series are stacked; they must then have the same steps.
    pub stacked: bool,
}

/// One line of a chart.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Which colour.
    pub colour: usize,
    /// Step and value.
    pub points: Vec<(f64, f64)>,
    /// How it is drawn.
    pub look: Look,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Look {
    /// Each step thin, the mean of its neighbours thick.
    #[default]
    Smoothed,
    /// The same, stepping back behind dots of the same colour.
    Behind,
    /// As it is: there is no noise in it.
    Exact,
    /// Dots joined by a line: measured now and then.
    Dots,
}

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 36.0;
/// More points than this are averaged together: the page stays small and looks the same.
const MOST_POINTS: usize = 300;
/// Areas flicker where lines do not.
const MOST_AREA_POINTS: usize = 60;
/// A series longer than this is shown smoothed as well.
pub(super) const SMOOTH_FROM: usize = 20;
/// How many places of a chart tell their numbers under the mouse.
const PLACES: usize = 80;

impl Chart {
    /// A figure with title, legend and picture; nothing if there is nothing to draw.
    pub(super) fn render(&self) -> String {
        let series: Vec<Series> = self.series.iter().filter_map(Series::drawable).collect();
        if series.is_empty() {
            return String::new();
        }
        let shown = if self.stacked { stack(&series) } else { series.clone() };
        let zero = self.stacked.then_some(0.0);
        let x = Axis::tight(all(&shown, |p| p.0), LEFT, WIDTH - RIGHT);
        let y = Axis::roomy(all(&shown, |p| p.1).chain(zero), HEIGHT - BOTTOM, TOP);
        let drawn: Vec<String> = if self.stacked {
            shown.iter().rev().map(|series| series.area(&x, &y)).collect()
        } else {
            shown.iter().map(|series| series.line(&x, &y)).collect()
        };
        format!(
            "<figure>\n<figcaption><b>{title}</b>{legend}</figcaption>\n\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}, {label} by step\">\n\
             {grid}{drawn}{places}</svg>\n</figure>\n",
            title = escape(&self.title),
            label = escape(&self.y_label),
            legend = legend(&series),
            grid = self.grid(&x, &y),
            drawn = drawn.concat(),
            places = places(&series, &x),
        )
    }

    fn grid(&self, x: &Axis, y: &Axis) -> String {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let mut out =
            format!("<text class=\"label\" x=\"{LEFT}\" y=\"12\">{}</text>\n", escape(&self.y_label));
        for (value, label) in y.ticks() {
            let at = y.at(value);
            out += &format!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n",
                LEFT - 7.0,
                at + 4.0,
            );
        }
        out +=
            &format!("<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\n");
        for (value, label) in x.ticks() {
            let at = x.at(value);
            out += &format!(
                "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\n",
                bottom + 16.0
            );
        }
        let middle = (LEFT + right) / 2.0;
        out + &format!(
            "<text class=\"label\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">step</text>\n",
            HEIGHT - 4.0
        )
    }
}

impl Series {
    /// Only the points that can be drawn; nothing if there are none.
    fn drawable(&self) -> Option<Series> {
        let mut series = self.clone();
        series.points.retain(|(x, y)| drawable(*x) && drawable(*y));
        (!series.points.is_empty()).then_some(series)
    }

    fn line(&self, x: &Axis, y: &Axis) -> String {
        let class = colour(self.colour);
        let points = &self.points;
        if self.look == Look::Dots || points.len() == 1 {
            let dots = points.iter().map(|(px, py)| {
                format!(
                    "<circle class=\"fill {class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"/>",
                    x.at(*px),
                    y.at(*py)
                )
            });
            let line = format!("<path class=\"line {class}\" d=\"{}\"/>\n", path(points, x, y));
            return line + &dots.collect::<String>() + "\n";
        }
        let each = path(&thin(points, MOST_POINTS), x, y);
        if points.len() < SMOOTH_FROM || self.look == Look::Exact {
            return format!("<path class=\"line {class}\" d=\"{each}\"/>\n");
        }
        let behind = if self.look == Look::Behind { "behind " } else { "" };
        let mean = path(&thin(&smooth(points, window(points.len())), MOST_POINTS), x, y);
        format!(
            "<path class=\"each {class}\" d=\"{each}\"/>\n\
             <path class=\"line {behind}{class}\" d=\"{mean}\"/>\n"
        )
    }

    fn area(&self, x: &Axis, y: &Axis) -> String {
        let points = thin(&self.points, MOST_AREA_POINTS);
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return String::new();
        };
        let (left, right, zero) = (x.at(first.0), x.at(last.0), y.at(0.0));
        format!(
            "<path class=\"area {}\" d=\"{}L{right:.1},{zero:.1}L{left:.1},{zero:.1}Z\"/>\n",
            colour(self.colour),
            path(&points, x, y),
        )
    }
}

impl Series {
    /// Adds another series of the same steps to this one.
    pub(super) fn take_in(&mut self, other: &Series) {
        for (sum, one) in self.points.iter_mut().zip(&other.points) {
            sum.1 += one.1;
        }
        self.name = "small ones".to_owned();
    }
}

/// Over how many steps the thick line is averaged.
pub(super) fn window(points: usize) -> usize {
    (points / 16).max(5) | 1
}

/// Each series on top of the ones before it.
fn stack(series: &[Series]) -> Vec<Series> {
    let mut stacked: Vec<Series> = Vec::new();
    for one in series {
        let mut one = one.clone();
        if let Some(below) = stacked.last() {
            for ((_, y), (_, base)) in one.points.iter_mut().zip(&below.points) {
                *y += base;
            }
        }
        stacked.push(one);
    }
    stacked
}

fn all<'a>(series: &'a [Series], of: fn(&(f64, f64)) -> f64) -> impl Iterator<Item = f64> + 'a {
    series.iter().flat_map(move |series| series.points.iter().map(of))
}

fn path(points: &[(f64, f64)], x: &Axis, y: &Axis) -> String {
    let place = |(i, (px, py)): (usize, &(f64, f64))| {
        let command = if i == 0 { 'M' } else { 'L' };
        format!("{command}{:.1},{:.1}", x.at(*px), y.at(*py))
    };
    points.iter().enumerate().map(place).collect()
}

fn legend(series: &[Series]) -> String {
    if series.len() < 2 {
        return String::new();
    }
    let entry = |series: &Series| {
        let shape = if series.look == Look::Dots { "dot" } else { "bar" };
        format!("<span><i class=\"{shape} {}\"></i>{}</span>", colour(series.colour), escape(&series.name))
    };
    let entries: String = series.iter().map(entry).collect();
    format!("<span class=\"legend\">{entries}</span>")
}

/// Upright strips that light up under the mouse and tell the numbers of their steps.
fn places(series: &[Series], x: &Axis) -> String {
    let mut steps: Vec<f64> = all(series, |p| p.0).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let size = steps.len().div_ceil(PLACES).max(1);
    let width = (WIDTH - RIGHT - LEFT) / steps.len().div_ceil(size) as f64;
    let place = |steps: &[f64]| {
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else {
            return String::new();
        };
        let mut title =
            if first == last { format!("step {first}") } else { format!("steps {first}–{last}") };
        for one in series {
            let here = one.points.iter().filter(|(step, _)| step >= first && step <= last);
            let (sum, n) = here.fold((0.0, 0.0), |(sum, n), (_, y)| (sum + y, n + 1.0));
            if n > 0.0 {
                title += &format!("\n{}: {}", one.name, number(sum / n));
            }
        }
        format!(
            "<rect class=\"place\" x=\"{:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{}\"><title>{}</title></rect>\n",
            (x.at(*first) + x.at(*last)) / 2.0 - width / 2.0,
            HEIGHT - BOTTOM - TOP,
            escape(&title),
        )
    };
    steps.chunks(size).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(f64, f64)]) -> Series {
        Series { name: "loss".into(), points: points.to_vec(), ..Series::default() }
    }

    #[test]
    fn nothing_to_draw_is_no_figure_and_one_point_is_a_dot() {
        let chart =
            |points: &[(f64, f64)]| Chart { series: vec![series(points)], ..Chart::default() }.render();
        assert_eq!(chart(&[]), "");
        assert_eq!(chart(&[(1.0, f64::NAN)]), "");
        assert!(chart(&[(1.0, 2.0)]).contains("<circle"));
    }

    #[test]
    fn a_long_run_stays_a_small_picture() {
        let points: Vec<_> = (0..100_000).map(|i| (f64::from(i), f64::from(i % 7))).collect();
        let html = Chart { series: vec![series(&points)], ..Chart::default() }.render();
        assert!(html.len() < 30_000, "{}", html.len());
    }

    #[test]
    fn stacked_series_stand_on_each_other() {
        let stacked = stack(&[series(&[(0.0, 1.0), (1.0, 2.0)]), series(&[(0.0, 3.0), (1.0, 4.0)])]);
        assert_eq!(stacked[1].points, [(0.0, 4.0), (1.0, 6.0)]);
    }
}
