using System.Runtime.CompilerServices;
using Xunit;

namespace Evidence.Interop.Tests.Pages;

/// <summary>
/// Pages whose commands are run here, each party on a machine of its own, and whose output is the output that they have. With EVIDENCE_UPDATE_PAGES=1 the pages are
/// written anew with what was printed; then look at what changed.
/// </summary>
public sealed class PageTests
{
    private static readonly string Docs = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", "..", "docs"));

    private static bool IsUpdate => Environment.GetEnvironmentVariable("EVIDENCE_UPDATE_PAGES") == "1";

    [Theory]
    [InlineData("two-days.md")]
    [InlineData("replay.md")]
    public void A_page_shows_what_its_commands_print(string name)
    {
        string path = Path.Combine(Docs, name);
        var page = PageScript.Parse(File.ReadAllText(path));
        Assert.NotEmpty(page.Steps);
        var varying = new VaryingText();
        var wrong = new List<string>();
        var outputs = new List<IReadOnlyList<string>>();
        using var world = new PageWorld(Docs, page.Steps.Select(step => step.Party).Distinct(StringComparer.Ordinal));
        foreach (PageStep step in page.Steps)
        {
            IReadOnlyList<string> run = world.Run(step);
            IReadOnlyList<string>? shown = PageOutput.Align(step.Output, run, varying);
            if (shown is null)
                wrong.Add($"{name}:{step.Line}: {step.Party}$ {step.Command}\nprinted\n{string.Join('\n', run)}\nand the page shows\n{string.Join('\n', step.Output)}");
            outputs.Add(shown ?? run);
            // What comes after a wrong step is wrong because of it.
            if (shown is null && !IsUpdate)
                break;
        }

        if (IsUpdate)
            File.WriteAllText(path, page.With(outputs));
        Assert.True(wrong.Count == 0, string.Join("\n\n", wrong));
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
