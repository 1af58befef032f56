using System.CommandLine;
using Evidence;
using Evidence.Cli;

ParseResult parsed = CommandTree.Build().Parse(args);
if (parsed.Errors.Count == 0)
    return await parsed.InvokeAsync();

string message = string.Join(" ", parsed.Errors.Select(e => e.Message));
if (parsed.GetResult(Session.JsonOption) is { Implicit: false })
    Session.PrintError(ErrorCode.Usage, message);
else
    Console.Error.WriteLine($"evidence: {SafeWriter.Shown(message)} See 'evidence {(parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ")}--help'.");
return ExitCode.Usage;
