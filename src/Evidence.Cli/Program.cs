using System.CommandLine;
using System.CommandLine.Parsing;
using Evidence;
using Evidence.Cli;

// An argument that begins with @ is one like any other: names and selectors may.
ParseResult parsed = CommandTree.Build().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
if (parsed.Errors.Count == 0)
    return await parsed.InvokeAsync();

string message = Mistake(parsed);
if (parsed.GetResult(Session.JsonOption) is { Implicit: false })
    Session.PrintError(ErrorCode.Usage, message);
else
    Console.Error.WriteLine($"evidence: {SafeWriter.Shown(message)} See 'evidence {Words(parsed.CommandResult)}--help'.");
return ExitCode.Usage;

static string Mistake(ParseResult parsed)
{
    Command command = parsed.CommandResult.Command;
    string commands = string.Join(", ", command.Subcommands.Select(c => c.Name));
    return parsed.UnmatchedTokens switch
    {
        [] when commands.Length > 0 && parsed.Errors.Count == 1 => $"Name a command: {commands}.",
        [['-', ..] option, ..] => Options.NoSuch(option),
        [var word, ..] when commands.Length > 0 => $"There is no command '{word}' here. There are: {commands}.",
        _ => string.Join(" ", parsed.Errors.Select(e => e.Message)),
    };
}

static string Words(CommandResult result) =>
    result.Command is RootCommand ? "" : $"{(result.Parent is CommandResult above ? Words(above) : "")}{result.Command.Name} ";
