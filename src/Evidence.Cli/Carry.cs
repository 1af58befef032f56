using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Vaults;

namespace Evidence.Cli;

/// <summary>What is carried between a ledger and parties that sign on machines of their own.</summary>
internal static class Carry
{
    internal static readonly Argument<string> File = new("FILE") { Description = "The file that was carried here." };

    internal static readonly Option<string?> Document = new("--document") { Description = "The paper that it names, where one came along; it is kept in the vault.", HelpName = "FILE" };

    /// <summary>The command that writes an entry of the docket to a file, for somebody who signs what is about it elsewhere.</summary>
    /// <param name="description">Whom it is for.</param>
    /// <param name="what">What the entry is to be.</param>
    /// <param name="lister">The command that lists such entries.</param>
    internal static Command WriteCommand<T>(string description, string what, string lister)
        where T : Statement
    {
        var output = new Option<string>("--output") { Description = "The file to carry. One that is there is not overwritten.", HelpName = "FILE", Required = true };
        var command = new Command("write", description) { DocketOptions.Entry, output };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var docket = Docket.Read(vault.Ledger.Open(), cancellation: cancellation);
            long entry = parsed.GetValue(DocketOptions.Entry);
            string path = parsed.GetValue(output)!;
            if (docket.FindAct(entry) is not Recorded<T> act)
                throw new EvidenceException(ErrorCode.DocketInvalid, $"Entry {entry} is no {what}: 'evidence {lister} list' shows those that there are.");
            CarriedStatement.Write(docket, entry, path);
            long[] others = [.. docket.PartsOf(act).Select(part => part.Entry).Where(part => part != entry)];
            session.Answer(
                () => new JsonObject { ["file"] = path, ["entry"] = DocketOptions.Number(entry), ["others"] = DocketOptions.Numbers(others) },
                text =>
                {
                    text.WriteLine($"Written: {path}");
                    if (others.Length > 0)
                        text.WriteLine($"It is about more assets than one entry has room for: entries {string.Join(", ", others)} go along, each in a file of its own.");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    /// <summary>Signs a statement with a key of this machine's, without the vault.</summary>
    internal static void Sign(Session session, IReadOnlyList<string> assets, Statement statement, string path) =>
        CarriedStatement.Sign(session.Access.Keys!, session.Access.Actor, session.Access.Clock, assets, statement, path);

    /// <summary>Signs a statement, and answers.</summary>
    /// <param name="session">The call.</param>
    /// <param name="assets">The assets that it is about.</param>
    /// <param name="statement">The statement.</param>
    /// <param name="path">The file to carry.</param>
    /// <param name="said">What was signed, in words that follow on the signer's name.</param>
    /// <param name="taker">The command that takes it in.</param>
    internal static void Sign(Session session, IReadOnlyList<string> assets, Statement statement, string path, string said, string taker)
    {
        Sign(session, assets, statement, path);
        session.Answer(
            () => new JsonObject { ["file"] = path, ["assets"] = DocketOptions.Strings(assets) },
            text => text.WriteLine($"Signed by {session.Access.Actor}{said}. Carry {path} to whoever keeps the ledger, who takes it in by 'evidence {taker} take'."));
    }

    /// <summary>Takes a file into the ledger, with the paper that it names, and answers.</summary>
    /// <param name="session">The call.</param>
    /// <param name="parsed">Its arguments: <see cref="File"/> and <see cref="Document"/>.</param>
    /// <param name="what">What it is to be.</param>
    /// <param name="accept">Whether a statement is that, and the document that it names.</param>
    internal static void Take(Session session, ParseResult parsed, string what, Func<Statement, (bool Is, Sha256Digest? Document)> accept)
    {
        string path = parsed.GetValue(File)!;
        var carried = CarriedStatement.Read(path);
        (bool isIt, Sha256Digest? named) = accept(carried.Statement);
        if (!isIt)
            throw new EvidenceException(ErrorCode.EntriesInvalid, $"{path} holds no {what}, but an entry of the kind '{carried.Statement.Kind}'.");
        string? document = parsed.GetValue(Document);
        if (document is not null && DocketOptions.DigestOf(document) != named)
            throw new EvidenceException(ErrorCode.EntriesInvalid, $"{document} is not the paper that {path} names{(named is { } digest ? $" (sha256:{digest})" : ", for it names none")}.");
        using Vault vault = session.OpenVault();
        var docket = Docket.Read(vault.Ledger.Open());
        _ = DocketOptions.Keep(vault, document);
        IReadOnlyList<long> entries = DocketOptions.One(carried.Take(vault, docket));
        string[] unknown = [.. carried.Entry.Payload.Items.Where(asset => docket.Assets.GetValueOrDefault(asset) is not { Declarations.Count: > 0 })];
        session.Answer(
            entries,
            json =>
            {
                json["signer"] = carried.Signer.Name;
                json["key"] = carried.Entry.Payload.Key;
                json["unknownAssets"] = DocketOptions.Strings(unknown);
            },
            text =>
            {
                text.WriteLine($"  {DocketText.Sentence(carried.Signer.Name, carried.Entry.Payload)}");
                text.WriteLine($"  signed by {carried.Entry.Payload.Key}: good. Whose key that is, the ledger's parties say ('evidence party list').");
                if (unknown.Length > 0)
                    text.WriteLine($"  No asset is on the record by the name of {DocketOptions.Names(unknown)}: over that it does nothing until there is one. Ask {carried.Signer.Name} what is meant.");
                if (named is { } digest && document is null)
                    text.WriteLine($"  It names a paper, sha256:{digest}: 'evidence document add' keeps it, when it comes.");
            });
    }
}
