//! Takes one language of every text of the command line, and gives help its Chinese headings.

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};
use xw_schemas::record::Lang;

use crate::words;

/// Stands between the Chinese and the English half of a text.
pub(super) const BETWEEN: &str = " || ";

/// The command line in one language.
pub(super) fn localise(command: Command, lang: Lang) -> Command {
    let name = command.get_name().to_owned();
    walk(command, &name, lang)
}

fn walk(command: Command, way: &str, lang: Lang) -> Command {
    let common = words::COMMON_OPTIONS.of(lang);
    let about = command.get_about().map(|text| half(&text.to_string(), lang));
    let after = command.get_after_help().map(|text| half(&text.to_string(), lang));
    let (help, version) = (words::HELP_FLAG.of(lang), words::VERSION_FLAG.of(lang));
    let mut command = command
        // No wrapping: Chinese has no blanks to wrap at, and the terminal wraps anyhow.
        .term_width(0)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .subcommand_help_heading(words::COMMANDS.of(lang))
        .subcommand_value_name(words::COMMAND.of(lang))
        .mut_args(|argument| argument_in(argument, lang))
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::Help)
                .help(help)
                .help_heading(common),
        );
    if command.get_version().is_some() {
        let flag = Arg::new("version").short('V').long("version").action(ArgAction::Version);
        command = command.arg(flag.help(version).help_heading(common));
    }
    let usage = usage(&command, way, lang);
    let template = format!(
        "{{about-with-newline}}\n{}{{usage}}\n\n{{all-args}}{{after-help}}\n",
        words::USAGE.of(lang)
    );
    let command = command
        .about(about.unwrap_or_default())
        .override_usage(usage)
        .help_template(StyledStr::from(template));
    let command = match after {
        Some(after) => command.after_help(after),
        None => command,
    };
    let subs: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    subs.into_iter().fold(command, |command, sub| {
        let way = format!("{way} {sub}");
        command.mut_subcommand(sub, |sub| walk(sub, &way, lang))
    })
}

fn argument_in(argument: Arg, lang: Lang) -> Arg {
    let help = argument.get_help().map(|text| half(&text.to_string(), lang)).unwrap_or_default();
    let names = argument
        .get_value_names()
        .map(|names| names.iter().map(|name| half(name.as_str(), lang)).collect::<Vec<String>>());
    let heading = match (argument.is_positional(), argument.is_global_set()) {
        (true, _) => words::ARGUMENTS,
        (false, true) => words::COMMON_OPTIONS,
        (false, false) => words::OPTIONS,
    };
    // What clap would add to the help is English in every language; the texts say it themselves.
    let argument = argument.help(help).help_heading(heading.of(lang));
    if !argument.get_action().takes_values() {
        return argument;
    }
    let argument = argument.hide_default_value(true).hide_possible_values(true);
    match names {
        Some(names) => argument.value_names(names),
        None => argument,
    }
}

/// The half of a text in one language.
fn half(text: &str, lang: Lang) -> String {
    match text.split_once(BETWEEN) {
        Some((zh, en)) => lang.pick(zh, en).to_owned(),
        None => text.to_owned(),
    }
}

fn usage(command: &Command, way: &str, lang: Lang) -> String {
    let mut usage = format!("{way} [{}]", words::OPTIONS.of(lang));
    for argument in command.get_arguments() {
        let named = argument.get_value_names().and_then(|names| names.first());
        let named = named.map_or_else(String::new, ToString::to_string);
        match (argument.get_long(), argument.is_required_set()) {
            (Some(long), true) => usage.push_str(&format!(" --{long} <{named}>")),
            (Some(_), false) => {}
            (None, true) => usage.push_str(&format!(" <{named}>")),
            (None, false) => usage.push_str(&format!(" [{named}]")),
        }
    }
    if command.has_subcommands() {
        usage.push_str(&format!(" <{}>", words::COMMAND.of(lang)));
    }
    usage
}
