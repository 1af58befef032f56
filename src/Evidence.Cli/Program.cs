using System.CommandLine;
using Evidence;
using Evidence.Cli;

ParseResult parsed = CommandTree.Build().Parse(args);
if (parsed.Errors.Count == 0)
    return await parsed.InvokeAsync();

if (parsed.GetResult(Session.JsonOption) is { Implicit: false })
    Session.PrintError(ErrorCode.Usage, string.Join(" ", parsed.Errors.Select(e => e.Message)));
else
    await parsed.InvokeAsync();
return ExitCode.Usage;
