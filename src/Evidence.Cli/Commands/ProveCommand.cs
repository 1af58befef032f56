using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Proofs;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class ProveCommand
{
    private static readonly Argument<string> Subject = new("ENTRY|IMAGE") { Description = "An entry's number, an item, or sha256: and at least eight digits of an image's id." };

    private static readonly Option<string?> Range = new("--range") { Description = "Prove these bytes of the image, and put them into the proof.", HelpName = "OFFSET+LENGTH" };

    private static readonly Option<string> Output = new("--output") { Description = "The proof's file. One that is there is not overwritten.", HelpName = "FILE", Required = true };

    internal static Command Build()
    {
        var command = new Command(
            "prove",
            """
            Writes one file that proves an entry, an image, or bytes of an image, to somebody who has no vault, no network and no reason to trust you: 'evidence check'
            checks it. Segments that the range begins or ends in are in it as a whole.

            Examples:
              evidence prove 12 --output entry-12.proof
              evidence prove server-7 --output server-7.proof
              evidence prove server-7 --range 1048576+4096 --output superblock.proof
            """)
        {
            Subject, Range, Output,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            string path = parsed.GetValue(Output)!;
            ProofSubject subject = SubjectOf(vault, parsed.GetValue(Subject)!, parsed.GetValue(Range));
            new Prover(vault).Write(subject, path, cancellation);
            long size = new FileInfo(path).Length;
            session.Answer(
                () => new JsonObject
                {
                    ["file"] = path,
                    ["size"] = DecimalText.Format(size),
                    ["entry"] = DecimalText.Format(subject.Entry!.Value),
                    ["image"] = subject.Image is { } image ? $"sha256:{image}" : null,
                },
                text => text.WriteLine($"{path}: {Units.Size(size)}. Whoever gets it checks it with 'evidence check', and a policy of their own."));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static ProofSubject SubjectOf(Vault vault, string name, string? range)
    {
        if (long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out long entry))
        {
            return range is null
                ? ProofSubject.OfEntry(entry)
                : throw new EvidenceException(ErrorCode.Usage, "Only an image has ranges. Name it by its item, or its id.");
        }

        ImageRecord record = vault.FindImage(name);
        if (range is null)
            return ProofSubject.OfImage(record.Entry, record.Image);
        (long offset, long length) = Units.ParseRange(range);
        return ProofSubject.OfImage(record.Entry, record.Image, offset, length);
    }
}
