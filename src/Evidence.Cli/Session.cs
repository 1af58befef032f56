using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Evidence.Ledger.Timestamping;
using Evidence.Vaults;

namespace Evidence.Cli;

/// <summary>One call of the command: where its vault is, and how it answers.</summary>
internal sealed class Session
{
    internal static readonly Option<string?> VaultOption = new("--vault")
    {
        Description = "The vault's folder. Without it: EVIDENCE_VAULT, then ./evidence.vault.",
        HelpName = "DIR",
        Recursive = true,
    };

    internal static readonly Option<string?> ActorOption = new("--actor")
    {
        Description = "Whose key signs entries. Without it: EVIDENCE_ACTOR, then the user's name.",
        HelpName = "NAME",
        Recursive = true,
    };

    internal static readonly Option<bool> JsonOption = new("--json") { Description = "Print one JSON object on standard output.", Recursive = true };

    internal static readonly Option<bool> QuietOption = new("--quiet") { Description = "No progress on standard error.", Recursive = true };

    internal static readonly Option<bool> OfflineOption = new("--offline")
    {
        Description = "Ask no witnesses after an entry was recorded. Else those of the policy in EVIDENCE_HOME that have a URL are asked, for five seconds at most.",
        Recursive = true,
    };

    /// <summary>How long an interrupted command has to end by itself; below the two seconds after which the process is ended.</summary>
    private static readonly TimeSpan InterruptionPatience = TimeSpan.FromSeconds(1.5);

    private Session(ParseResult parsed)
    {
        IsJson = parsed.GetValue(JsonOption);
        IsQuiet = parsed.GetValue(QuietOption);
        string? actor = parsed.GetValue(ActorOption);
        if (string.IsNullOrEmpty(actor))
            actor = Environment.GetEnvironmentVariable("EVIDENCE_ACTOR");
        Access = VaultAccess.Default() with { Logger = new StandardErrorLogger() };
        if (!string.IsNullOrEmpty(actor))
            Access = Access with { Actor = actor };
        IsOffline = parsed.GetValue(OfflineOption);
        string? folder = parsed.GetValue(VaultOption);
        if (string.IsNullOrEmpty(folder))
            folder = Environment.GetEnvironmentVariable("EVIDENCE_VAULT");
        VaultFolder = string.IsNullOrEmpty(folder) ? "evidence.vault" : folder;
    }

    internal string VaultFolder { get; }

    internal bool IsJson { get; }

    internal bool IsQuiet { get; }

    private bool IsOffline { get; }

    internal VaultAccess Access { get; private set; }

    /// <summary>Gives a command its action: errors become a message and an exit code, as JSON where that was asked for.</summary>
    internal static void Bind(Command command, Func<Session, ParseResult, CancellationToken, Task<int>> action) =>
        command.SetAction(async (parsed, cancellation) =>
        {
            var session = new Session(parsed);
            try
            {
                // What waits in the kernel (a pipe without a writer, a device that does not answer) hears of no cancellation: it is left behind.
                Task<int> work = Task.Run(() => session.RunAsync(() => action(session, parsed, cancellation), cancellation), CancellationToken.None);
                await Task.WhenAny(work, AfterAsync(InterruptionPatience, cancellation));
                return work.IsCompleted ? await work : throw new OperationCanceledException(cancellation);
            }
            catch (Exception e)
            {
                EvidenceException failure = FailureOf(e);
                session.Fail(failure.Code, failure.Message);
                return ExitCode.Of(failure.Code);
            }
        });

    /// <summary>Runs the action; whatever comes of it, what it put into a ledger is cosigned, if there is somebody to ask.</summary>
    private async Task<int> RunAsync(Func<Task<int>> action, CancellationToken cancellation)
    {
        if (IsOffline)
            return await action();
        await using var witnessing = new BackgroundWitnessing(Access);
        Access = Access with { Appended = witnessing.Ask };
        try
        {
            return await action();
        }
        finally
        {
            await FinishAsync(witnessing, cancellation);
        }
    }

    /// <summary>What is recorded is recorded, whatever goes wrong here.</summary>
    private async Task FinishAsync(BackgroundWitnessing witnessing, CancellationToken cancellation)
    {
        try
        {
            foreach (WitnessingOutcome outcome in await witnessing.FinishAsync(cancellation))
                WitnessText.Tell(outcome, IsQuiet);
        }
        catch (Exception e)
        {
            await Console.Error.WriteLineAsync($"evidence: The witnesses were not asked. {SafeWriter.Shown(FailureOf(e).Message)}");
        }
    }

    private static async Task AfterAsync(TimeSpan patience, CancellationToken cancellation)
    {
        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Delay(patience, CancellationToken.None);
    }

    internal Vault OpenVault() => Vault.Open(VaultFolder, Access);

    /// <summary>Whose time stamps count: those of the key store, and of the files that were named.</summary>
    internal TrustedAuthorities TrustOf(ParseResult parsed) =>
        Access.Keys!.LoadAuthorities().With(TrustedAuthorities.Load(parsed.GetValue(Options.Trust) ?? []));

    /// <summary>Answers: the object where JSON was asked for, else the text.</summary>
    internal void Answer(Func<JsonObject> json, Action<TextWriter> text)
    {
        if (IsJson)
            Console.Out.WriteLine(Text(json()));
        else
            text(new SafeWriter(Console.Out));
    }

    /// <summary>Whatever went wrong, as one of this library's errors.</summary>
    internal static EvidenceException FailureOf(Exception e) => e switch
    {
        EvidenceException own => own,
        OperationCanceledException => new(ErrorCode.Interrupted, "Interrupted. What was acknowledged before is safe; run the same command again.", e),
        UnauthorizedAccessException => new(ErrorCode.PermissionDenied, e.Message, e),
        IOException => new(ErrorCode.InputOutput, e.Message, e),
        // A mistake of ours. It is told like any other error, so that scripts can tell; the trace is for whoever mends it.
        _ => new(ErrorCode.Internal, $"This is a fault of evidence itself; please report it. {e}", e),
    };

    internal static void PrintError(string code, string message) =>
        Console.Out.WriteLine(Text(new JsonObject { ["error"] = Error(code, message) }));

    internal static JsonObject Error(string code, string message) => new() { ["code"] = code, ["message"] = message };

    /// <summary>One line of JSON, in which only what JSON itself wants is escaped.</summary>
    private static string Text(JsonObject json)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            json.WriteTo(writer);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private void Fail(string code, string message)
    {
        if (IsJson)
            PrintError(code, message);
        else
            Console.Error.WriteLine($"evidence: {SafeWriter.Shown(message)}");
    }
}
