using System.CommandLine;
using Evidence;
using Evidence.Cli;

// An argument that begins with @ is one like any other: names and selectors may.
ParseResult parsed = CommandTree.Build().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
if (parsed.Errors.Count == 0)
    return await parsed.InvokeAsync();

string message = string.Join(" ", parsed.Errors.Select(e => e.Message));
if (parsed.GetResult(Session.JsonOption) is { Implicit: false })
    Session.PrintError(ErrorCode.Usage, message);
else
    Console.Error.WriteLine($"evidence: {SafeWriter.Shown(message)} See 'evidence {(parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ")}--help'.");
return ExitCode.Usage;
