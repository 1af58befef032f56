using System.Globalization;
using System.Text.Json;
using Evidence.Hashing;
using Evidence.Interop.Tests.Harness;
using Evidence.Vaults;
using Evidence.Verification;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>What must be true after a command met a fault, and after it was run again.</summary>
internal sealed class Aftermath(Slot slot, string[] arguments, bool hadVault)
{
    private const string Output = "export.img";

    private readonly List<string> complaints = [];
    private readonly List<string> pending = [];

    private EvidenceCommand Evidence => slot.Evidence;

    /// <summary>Looks at what the fault left, runs the command again, and looks once more.</summary>
    internal async Task<List<string>> CheckAsync(CommandResult faulted, Fault fault)
    {
        bool killed = fault == Fault.Kill;
        if (killed && faulted.ExitCode != 137)
            complaints.Add($"it was killed, but ended with {faulted.ExitCode}");
        string error = killed ? "" : CheckAnswer(faulted);
        bool done = faulted.ExitCode == 0;
        if (hadVault || done)
            Demand(Vault.Exists(Evidence.Vault), "there is no vault");
        if (Vault.Exists(Evidence.Vault))
            await CheckVaultAsync("after it", done ? faulted : null);
        CheckOutput(done);

        CommandResult again = Evidence.Json(arguments);
        CheckAgain(faulted, again);
        await CheckVaultAsync("after the command was run again", again.ExitCode == 0 ? again : null);
        CheckOutput(arguments[0] == "export");
        CheckImages(faulted, killed || error.Contains("recorded", StringComparison.Ordinal));
        return complaints;
    }

    /// <summary>What a command that was not killed answers; returns its error's message.</summary>
    private string CheckAnswer(CommandResult result)
    {
        Demand(!result.Errors.Contains("   at ", StringComparison.Ordinal), $"a stack trace on standard error: {result.Errors}");
        JsonElement json;
        try
        {
            json = JsonDocument.Parse(result.Output).RootElement;
        }
        catch (JsonException)
        {
            complaints.Add($"it answers with {result.ExitCode} and what is not one JSON object: {result.Text}");
            return "";
        }

        JsonElement[] answers = arguments[0] == "acquire" && json.TryGetProperty("images", out JsonElement images) ? [.. images.EnumerateArray()] : [json];
        JsonElement[] errors = [.. answers.Where(a => a.TryGetProperty("error", out _)).Select(a => a.GetProperty("error"))];
        Demand(result.ExitCode != 0 == errors.Length > 0, $"it ended with {result.ExitCode} and {errors.Length} errors: {result.Text}");
        foreach (JsonElement error in errors)
        {
            string message = error.GetProperty("message").GetString()!;
            Demand(result.ExitCode == 1, $"it ended with {result.ExitCode}: {message}");
            Demand(error.GetProperty("code").GetString() is not "internal", $"an internal error: {message}");
            Demand(!message.Contains("   at ", StringComparison.Ordinal), $"a stack trace: {message}");
            Demand(message.Contains(Evidence.Folder, StringComparison.Ordinal), $"no file is named: {message}");
        }

        return string.Join(' ', errors.Select(e => e.GetProperty("message").GetString()));
    }

    /// <summary>The vault is sound, what was there is there, and so is what was acknowledged.</summary>
    private async Task CheckVaultAsync(string when, CommandResult? acknowledged)
    {
        VerificationReport report = await slot.VerifyAsync();
        if (report.Content != ContentVerdict.Verified)
        {
            complaints.Add($"{when}, verify says {Slot.Describe(report)}");
            return;
        }

        using Vault vault = slot.OpenVault();
        IReadOnlyList<ImageRecord> images = vault.Images();
        if (hadVault)
            Demand(images.Count > 0 && images[0].Item == "first", $"{when}, the first image is gone");
        foreach (ImageRecord image in images)
        {
            byte[] expected = image.Item == "first" || image.Item == "other" || (image.Item == "new" && !hadVault) ? Slot.First : Slot.Second;
            Demand((await Slot.ExportAsync(vault, image)).AsSpan().SequenceEqual(expected), $"{when}, the image {image.Item} is not the source");
        }

        foreach (string id in acknowledged is not null && pending.Count > 0 ? pending.ToArray() : [])
            Demand(images.Any(i => i.Image.ToString() == id), $"{when}, the image {id} that waited is not there");
        if (acknowledged is null)
            return;
        JsonElement json = acknowledged.Json;
        if (arguments[0] == "acquire")
        {
            foreach (JsonElement printed in json.GetProperty("images").EnumerateArray())
            {
                string id = printed.GetProperty("image").GetString()!["sha256:".Length..];
                // None: it waits in staging, and is there when the command has been run once more.
                if (printed.GetProperty("entry").GetString() is not { } entry)
                {
                    pending.Add(id);
                    continue;
                }

                Demand(images.Any(i => i.Image.ToString() == id && i.Entry.ToString(CultureInfo.InvariantCulture) == entry), $"{when}, the image {id} that it printed is not entry {entry}");
            }
        }
        else if (arguments[0] == "document")
        {
            foreach (JsonElement printed in json.GetProperty("documents").EnumerateArray())
            {
                byte[] expected = printed.GetProperty("file").GetString() == "first.img" ? Slot.First : Slot.Second;
                var document = Sha256Digest.Parse(printed.GetProperty("document").GetString()!["sha256:".Length..]);
                Demand(vault.Documents.TryRead(document, expected.Length) is { } content && content.AsSpan().SequenceEqual(expected), $"{when}, the document {document} that it printed is not there");
            }
        }
        else if (json.TryGetProperty("entry", out JsonElement number) && number.GetString() is { } index)
        {
            Demand(long.Parse(index, CultureInfo.InvariantCulture) < report.Ledger.Size, $"{when}, the entry {index} that it printed is not there");
        }
    }

    /// <summary>An exported file is there whole, or not at all.</summary>
    private void CheckOutput(bool expected)
    {
        string output = Evidence.PathOf(Output);
        if (arguments[0] != "export")
            return;
        if (!File.Exists(output))
            Demand(!expected, "the export is not there");
        else
            Demand(File.ReadAllBytes(output).AsSpan().SequenceEqual(Slot.First), "the export is not the source");
    }

    private void CheckAgain(CommandResult faulted, CommandResult again)
    {
        if (again.ExitCode == 0)
            return;
        // What was done cannot be done twice, and the message says so.
        bool twice = arguments[0] is "init" or "export" && again.ExitCode == 1 &&
            again.Json.GetProperty("error").GetProperty("code").GetString() is "vault-exists" or "destination-invalid";
        Demand(twice, $"it was run again, and ended with {again.ExitCode}: {again.Text} {again.Errors} (at first: {faulted.ExitCode} {faulted.Text})");
    }

    /// <summary>Whoever is told that it failed, and runs it again, gets one image of the item.</summary>
    private void CheckImages(CommandResult faulted, bool mayBeTwice)
    {
        if (arguments[0] != "acquire" || !Vault.Exists(Evidence.Vault))
            return;
        using Vault vault = slot.OpenVault();
        foreach (IGrouping<string, ImageRecord> item in vault.Images().GroupBy(i => i.Item, StringComparer.Ordinal))
        {
            bool printed = faulted.Text.Contains($"\"item\":\"{item.Key}\"", StringComparison.Ordinal);
            Demand(item.Count() <= (printed && item.Key != "first" ? 2 : 1) || mayBeTwice, $"there are {item.Count()} images of {item.Key}; at first it said {faulted.Text}");
        }
    }

    private void Demand(bool condition, string complaint)
    {
        if (!condition)
            complaints.Add(complaint);
    }
}
